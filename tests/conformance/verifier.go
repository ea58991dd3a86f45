// SPDX-License-Identifier: Apache-2.0

// Asks Go's TLS, as client (a line "HOST PORT VERSION" each) or as server, what it says to certificates.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func anchors() *x509.CertPool {
	pool := x509.NewCertPool()
	rest, _ := os.ReadFile(os.Getenv("ANCHORS"))
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return pool
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			pool.AddCert(c)
		} else {
			fmt.Fprintln(os.Stderr, "anchor:", err)
		}
	}
}

func ask(host, port, version string, pool *x509.CertPool) error {
	v := uint16(tls.VersionTLS12)
	if version == "1.3" {
		v = tls.VersionTLS13
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	conn, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(host, port), &tls.Config{RootCAs: pool, MinVersion: v, MaxVersion: v})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	conn.Write([]byte("hello\n"))
	_, err = conn.Read(make([]byte, 100))
	return err
}

func client() {
	pool := anchors()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word := strings.Fields(in.Text())
		if err := ask(word[0], word[1], word[2], pool); err != nil {
			fmt.Println("refused", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
}

func server() {
	cert, err := tls.LoadX509KeyPair(os.Getenv("CERT"), os.Getenv("KEY"))
	if err != nil {
		panic(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: anchors(),
		ClientAuth: tls.RequireAndVerifyClientCert})
	if err != nil {
		panic(err)
	}
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			continue
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, 100)
		if n, err := conn.Read(b); err == nil {
			conn.Write(b[:n])
		} else {
			fmt.Fprintln(os.Stderr, "refused", err)
		}
		conn.Close()
	}
}

func main() {
	if os.Args[1] == "client" {
		client()
	} else {
		server()
	}
}
