package main

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// TestRootCertificates: where the system has none, as in an empty image, there
// are those that are built in. A process loads them once, so that one of its
// own looks.
func TestRootCertificates(t *testing.T) {
	t.Parallel()
	const looking = "WACONCILE_TEST_ROOTS"
	if os.Getenv(looking) != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			t.Fatal(err)
		}
		if roots.Equal(x509.NewCertPool()) {
			t.Error("there are no root certificates")
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	none := t.TempDir()
	cmd.Env = append(os.Environ(), looking+"=1", "SSL_CERT_FILE="+none+"/none", "SSL_CERT_DIR="+none)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
