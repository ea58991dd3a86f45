// SPDX-License-Identifier: Apache-2.0
// Asks Node's TLS, as client (a line "HOST PORT VERSION" each) or as server, what it says to certificates.
'use strict';
const fs = require('fs'), net = require('net'), tls = require('tls'), readline = require('readline');
const ca = fs.readFileSync(process.env.ANCHORS, 'utf8').match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g);

function client() {
  const lines = readline.createInterface({ input: process.stdin });
  const waiting = [];
  let busy = false;
  const next = () => {
    if (busy || !waiting.length) return;
    busy = true;
    const [host, port, version] = waiting.shift().split(' ');
    const v = 'TLSv' + version;
    let told = false;
    const tell = (text) => { if (told) return; told = true; busy = false; console.log(text.replace(/\n/g, ' ')); next(); };
    const s = tls.connect({ host, port: +port, ca, minVersion: v, maxVersion: v, servername: net.isIP(host) ? '' : host }, () => {
      s.write('hello\n');
    });
    s.on('data', () => { tell('ok'); s.end(); });
    s.on('error', (e) => tell(`refused ${e.code} ${e.reason || e.message}`));
    s.on('close', () => tell('refused closed'));
  };
  lines.on('line', (line) => { waiting.push(line); next(); });
}

function server() {
  const s = tls.createServer({ ca, cert: fs.readFileSync(process.env.CERT), key: fs.readFileSync(process.env.KEY), requestCert: true,
                               rejectUnauthorized: true }, (c) => {
    c.on('data', (d) => c.end(d));
    c.on('error', () => {});
  });
  s.on('tlsClientError', (e) => console.error('refused', e.code, e.message));
  s.listen(0, '127.0.0.1', () => console.log('port ' + s.address().port));
}

process.argv[2] === 'client' ? client() : server();
