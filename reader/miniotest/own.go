package miniotest

import (
	"testing"
)

// Own is a server that one test has for itself, to kill it and start it again.
type Own struct {
	minio
	running bool
}

// StartOwn starts a server whose data ends with the test. It is a MinIO on
// this machine whatever store the other tests use.
func StartOwn(t testing.TB) *Own {
	t.Helper()
	m, err := startSomewhere(Binary(t), t.TempDir(), "")
	if err != nil {
		t.Fatalf("start an S3 store: %v", err)
	}
	o := &Own{minio: *m, running: true}
	t.Cleanup(func() {
		if err := o.Kill(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// Kill ends the server as kill -9 does. What it has written stays.
func (o *Own) Kill() error {
	if !o.running {
		return nil
	}
	o.running = false
	return o.kill()
}

// Restart starts a server that was killed, on the same address and with what
// it had written.
func (o *Own) Restart() error {
	if o.running {
		return nil
	}
	if err := o.start(); err != nil {
		return err
	}
	o.running = true
	return nil
}
