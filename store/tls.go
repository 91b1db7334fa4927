package store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// tlsOptions are the ssl_… parameters of a URL. The zero value encrypts if the
// server can and verifies nothing, as MySQL's own client does by default.
type tlsOptions struct {
	ca, cert, key          string // files
	disabled, required     bool
	verifyCert, verifyHost *bool // nil: what the others imply
}

// setSwitch reads ssl=true and what go-sql-driver takes for tls.
func (o *tlsOptions) setSwitch(v string) error {
	switch strings.ToLower(v) {
	case "preferred":
		return nil
	case "skip-verify":
		o.required = true
		return nil
	}
	on, err := boolean(v)
	o.required, o.disabled = on, !on
	return err
}

// setMode reads ssl_mode:
// https://dev.mysql.com/doc/refman/9.7/en/connection-options.html#option_general_ssl-mode
func (o *tlsOptions) setMode(v string) error {
	yes, no := true, false
	switch strings.ToUpper(strings.ReplaceAll(v, "-", "_")) {
	case "DISABLED", "DISABLE":
		o.disabled = true
	case "PREFERRED", "PREFER":
	case "REQUIRED", "REQUIRE":
		o.required = true
	case "VERIFY_CA":
		o.verifyCert, o.verifyHost = &yes, &no
	case "VERIFY_IDENTITY", "VERIFY_FULL":
		o.verifyCert, o.verifyHost = &yes, &yes
	default:
		return errors.New("must be DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
	}
	return nil
}

// setTLS gives the driver what o asks for. A file that cannot be used is an error.
func (t *target) setTLS(o tlsOptions) error {
	if o.disabled || t.Net == "unix" {
		return nil
	}
	c := &tls.Config{}
	if err := o.load(c); err != nil {
		return err
	}
	chain, host := o.verify()
	c.InsecureSkipVerify = !host
	if chain && !host {
		c.VerifyConnection = verifyChain(c.RootCAs)
	}
	if name, _, err := net.SplitHostPort(t.Addr); err == nil {
		c.ServerName = name
	}
	t.TLS = c
	t.AllowFallbackToPlaintext = !o.required && !chain && o.cert == ""
	return nil
}

// verify says what of the server's certificate is checked: the chain up to a
// trusted authority, and the host name.
func (o *tlsOptions) verify() (chain, host bool) {
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	wanted := o.ca != "" || is(o.verifyCert, true) || is(o.verifyHost, true)
	if !wanted || is(o.verifyCert, false) {
		return false, false
	}
	return true, !is(o.verifyHost, false)
}

// load reads the certificate files.
func (o *tlsOptions) load(c *tls.Config) error {
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return fmt.Errorf("has a parameter ssl_ca whose file cannot be read: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("has a parameter ssl_ca whose file %s holds no certificate in PEM form", o.ca)
		}
	}
	if (o.cert == "") != (o.key == "") {
		return errors.New("has one of the parameters ssl_cert and ssl_key: give both or none")
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return fmt.Errorf("has parameters ssl_cert and ssl_key whose files cannot be used: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// verifyChain accepts any host name, as certificates that MySQL makes for itself
// have none.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, c := range s.PeerCertificates[1:] {
			intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		return nil
	}
}
