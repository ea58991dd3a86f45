// SPDX-License-Identifier: Apache-2.0
// Asks Java's TLS, as client (a line "HOST PORT VERSION" each; names by the HTTPS rule) or as server, what it says to certificates.
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.*;
import java.util.*;
import java.util.regex.*;
import javax.net.ssl.*;

public class Verifier {
    static TrustManager[] anchors() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        Matcher m = Pattern.compile("-----BEGIN.*?-----END CERTIFICATE-----", Pattern.DOTALL)
            .matcher(Files.readString(Path.of(System.getenv("ANCHORS"))));
        for (int n = 0; m.find(); n++) {
            try {
                store.setCertificateEntry("a" + n, factory.generateCertificate(new ByteArrayInputStream(m.group().getBytes())));
            } catch (CertificateException e) {
                System.err.println("anchor " + n + ": " + e);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        return trust.getTrustManagers();
    }

    static void client() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, anchors(), null);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String[] word = line.split(" ");
            String said;
            try (Socket raw = new Socket(word[0], Integer.parseInt(word[1]))) {
                raw.setSoTimeout(5000);
                SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(raw, word[0], Integer.parseInt(word[1]), true);
                s.setEnabledProtocols(new String[] { "TLSv" + word[2] });
                SSLParameters p = s.getSSLParameters();
                p.setEndpointIdentificationAlgorithm("HTTPS");
                s.setSSLParameters(p);
                s.startHandshake();
                s.getOutputStream().write("hello\n".getBytes());
                said = s.getInputStream().read() >= 0 ? "ok" : "refused closed";
                s.close();
            } catch (Exception e) {
                Throwable cause = e;
                while (cause.getCause() != null)
                    cause = cause.getCause();
                said = ("refused " + e.getClass().getSimpleName() + " " + cause.getMessage()).replace('\n', ' ');
            }
            System.out.println(said);
        }
    }

    static void server() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(System.getenv("KEYSTORE")), "umbel-test".toCharArray());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, "umbel-test".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), anchors(), null);
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 64, InetAddress.getByName("127.0.0.1"));
        listener.setNeedClientAuth(true);
        System.out.println("port " + listener.getLocalPort());
        while (true) {
            try (SSLSocket s = (SSLSocket) listener.accept()) {
                s.setSoTimeout(5000);
                s.startHandshake();
                byte[] b = new byte[100];
                int n = s.getInputStream().read(b);
                if (n > 0)
                    s.getOutputStream().write(b, 0, n);
            } catch (IOException e) {
                System.err.println("refused " + e.getMessage());
            }
        }
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("client"))
            client();
        else
            server();
    }
}
