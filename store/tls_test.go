package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func TestTLS(t *testing.T) {
	ours, ca := certificate(t, "127.0.0.1")
	other, otherCA := certificate(t, "127.0.0.2")
	for _, c := range []struct {
		outcome   string
		server    *tls.Certificate // nil: the server offers no TLS
		query     string
		want      error // what a login ends with: ErrDenied is the server's own answer
		encrypted bool
	}{
		{"is used if the server offers it", ours, "", store.ErrDenied, true},
		{"is left out if the server does not offer it", nil, "", store.ErrDenied, false},
		{"is demanded by ssl_mode", nil, "?ssl_mode=REQUIRED", store.ErrUnavailable, false},
		{"is demanded by ssl_ca", nil, "?ssl_ca=" + ca, store.ErrUnavailable, false},
		{"is switched off", ours, "?ssl_disabled=true", store.ErrDenied, false},
		{"is switched off whatever else is given", ours, "?ssl_disabled=true&ssl_ca=" + ca, store.ErrDenied, false},
		{"accepts a server of the authority", ours, "?ssl_ca=" + ca, store.ErrDenied, true},
		{"refuses a server of another authority", ours, "?ssl_ca=" + otherCA, store.ErrUnavailable, false},
		{"refuses a server of another name", other, "?ssl_ca=" + otherCA, store.ErrUnavailable, false},
		{"accepts another name if told so", other, "?ssl_check_hostname=false&ssl_ca=" + otherCA, store.ErrDenied, true},
		{"accepts another name by VERIFY_CA", other, "?ssl_mode=VERIFY_CA&ssl_ca=" + otherCA, store.ErrDenied, true},
		{"refuses another authority by VERIFY_CA", other, "?ssl_mode=VERIFY_CA&ssl_ca=" + ca, store.ErrUnavailable, false},
		{"refuses an unknown authority by VERIFY_IDENTITY", ours, "?ssl_mode=VERIFY_IDENTITY", store.ErrUnavailable, false},
		{"verifies nothing if told so", other, "?ssl_verify_cert=false&ssl_ca=" + ca, store.ErrDenied, true},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			addr, encrypted := refusingServer(t, c.server)
			s, err := store.Open(store.Config{URL: "mysql://u:p@" + addr + "/d" + c.query})
			is.NoErr(err)
			defer s.Close()
			is.True(errors.Is(s.Ping(t.Context()), c.want))
			if errors.Is(c.want, store.ErrDenied) {
				is.Equal(<-encrypted, c.encrypted)
			}
		})
	}
}

func TestCertificateFiles(t *testing.T) {
	_, ca := certificate(t, "127.0.0.1")
	empty := filepath.Join(t.TempDir(), "vacio.pem")
	is.New(t).NoErr(os.WriteFile(empty, nil, 0o600))
	for _, c := range []struct{ outcome, query, says string }{
		{"a missing file is named", "ssl_ca=/no/existe.pem", "ssl_ca whose file cannot be read: open /no/existe.pem"},
		{"a file without a certificate is named", "ssl_ca=" + empty, "holds no certificate in PEM form"},
		{"a certificate without its key is refused", "ssl_cert=" + ca, "give both or none"},
		{"a key that is none is refused", "ssl_cert=" + ca + "&ssl_key=" + empty, "ssl_cert and ssl_key"},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			_, err := store.Open(store.Config{URL: "mysql://u:s3creto@h/d?" + c.query})
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), c.says))
			is.True(!strings.Contains(err.Error(), "s3creto"))
		})
	}
}

// certificate makes one that signs itself, for a host, and its file.
func certificate(t *testing.T, host string) (*tls.Certificate, string) {
	t.Helper()
	is := is.New(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	is.NoErr(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(host)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	is.NoErr(err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	is.NoErr(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// refusingServer greets like MySQL, with TLS if it has a certificate, and lets
// nobody in. It says whether a login came encrypted.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
func refusingServer(t *testing.T, cert *tls.Certificate) (addr string, encrypted <-chan bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.New(t).NoErr(err)
	t.Cleanup(func() { l.Close() })
	logins := make(chan bool, 8)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			refuse(conn, cert, logins)
		}
	}()
	return l.Addr().String(), logins
}

func refuse(conn net.Conn, cert *tls.Certificate, logins chan<- bool) {
	defer conn.Close()
	lower := byte(0x82) // CLIENT_SECURE_CONNECTION, CLIENT_PROTOCOL_41
	if cert != nil {
		lower |= 0x08 // CLIENT_SSL
	}
	greeting := "\x0a8.0.0\x00" + "\x01\x00\x00\x00" + "12345678\x00" + string([]byte{0x09, lower}) + "\x2d\x02\x00\x08\x00\x15" +
		strings.Repeat("\x00", 10) + "123456789012\x00mysql_native_password\x00"
	send(conn, 0, greeting)
	login, ok := receive(conn)
	sequence, secure := byte(2), false
	if ok && len(login) == 32 { // a request for TLS
		tlsConn := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*cert}})
		conn, sequence, secure = tlsConn, 3, true
		_, ok = receive(conn)
	}
	if ok {
		logins <- secure
		send(conn, sequence, "\xff\x15\x04#28000Access denied") // 1045
	}
}

func send(conn net.Conn, sequence byte, payload string) {
	_, _ = io.WriteString(conn, string([]byte{byte(len(payload)), 0, 0, sequence})+payload)
}

func receive(conn net.Conn) (payload []byte, ok bool) {
	header := make([]byte, 4)
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, false
	}
	payload = make([]byte, int(header[0])|int(header[1])<<8)
	_, err := io.ReadFull(conn, payload)
	return payload, err == nil
}
