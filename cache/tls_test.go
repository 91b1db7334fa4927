package cache_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// selfSigned makes a certificate of 127.0.0.1 and its key, in PEM.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	is := is.New(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	is.NoErr(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	is.NoErr(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	is.NoErr(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// users is the ACL of docker/redis/start, for a password.
func users(password string) []string {
	return []string{
		"user default off resetchannels -@all",
		fmt.Sprintf("user ccm on #%x ~ccm:* resetchannels &ccm:* +@all -@admin -@dangerous +info", sha256.Sum256([]byte(password))),
	}
}

const tlsURL = "CCM_TEST_CACHE_TLS_URL"

// TestTLSWithAnACLUser tries the URL in a process of its own, since one reads
// SSL_CERT_FILE only once.
func TestTLSWithAnACLUser(t *testing.T) {
	if raw := os.Getenv(tlsURL); raw != "" {
		useAll(t, raw)
		return
	}
	certificate, key := selfSigned(t)
	server := testenv.NewRedisTLS(t, certificate, key, users("contraseña")...)
	u := &url.URL{Scheme: "rediss", Host: address(t, server.URL()), Path: "/0", User: url.UserPassword("ccm", "contraseña")}
	file := t.TempDir() + "/ca.pem"
	is := is.New(t)
	is.NoErr(os.WriteFile(file, []byte(certificate), 0o600))
	run := func(env ...string) (string, error) {
		c := exec.Command(os.Args[0], "-test.run=^TestTLSWithAnACLUser$", "-test.v")
		c.Env = append(os.Environ(), append(env, tlsURL+"="+u.String())...)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := run("SSL_CERT_FILE=" + file)
	if err != nil {
		t.Fatal(out)
	}
	out, err = run()
	is.True(err != nil) // an authority that nobody knows
	is.True(strings.Contains(out, "certificate signed by unknown authority"))
	is.True(!strings.Contains(out, "contrase"))
}

// useAll does all that a cache asks of Redis, with no refusal.
func useAll(t *testing.T, raw string) {
	is := is.New(t)
	all := replicas(t, 2, cache.Config{URL: raw})
	is.NoErr(all[0].Ping(t.Context()))
	names := func(i int) *cache.Cache[[]string] { return cache.New[[]string](all[i], "names", policy) }
	p := new(people)
	for _, i := range []int{0, 1} {
		_, err := names(i).Get(t.Context(), "14/60", p.load)
		is.NoErr(err)
	}
	is.Equal(p.loads.Load(), int64(1))
	_, err := names(0).Refresh(t.Context(), "14/60", p.load)
	is.NoErr(err)
	is.NoErr(names(0).Invalidate(t.Context(), "14"))
	eventually(t, "the copy goes", func() bool {
		e, err := names(1).Get(t.Context(), "14/60", p.load)
		return err == nil && e.Value[1] == "xxx"
	})
	is.Equal(all[0].Stats().RedisErrors+all[1].Stats().RedisErrors, int64(0))
}
