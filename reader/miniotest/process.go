package miniotest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// watcher runs the server ($1 in the directory $2 on the address $3) until
// its standard input ends. The test binary holds the other end and never
// writes to it, so that the server ends with the binary however that ends,
// kill -9 included, and takes the directory $4, if one is given, with it.
const watcher = `trap '' INT TERM HUP QUIT
"$1" server --quiet --address "$3" "$2/data" >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -9 $server
wait $server
test -z "$4" || rm -rf "$4"
`

// startAttempts is how many ports are tried: another process may take one
// between its choice and its use.
const startAttempts = 5

func startMinIO() (*Server, error) {
	program, err := binary()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "waconcile-minio-")
	if err != nil {
		return nil, err
	}
	m, err := startSomewhere(program, dir, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &m.Server, nil
}

// startSomewhere starts a server on a free port.
func startSomewhere(program, dir, remove string) (m *minio, err error) {
	for range startAttempts {
		m = &minio{program: program, dir: dir, remove: remove}
		if m.address, err = freeAddress(); err != nil {
			return nil, err
		}
		m.Server = Server{Endpoint: "http://" + m.address, AccessKey: "waconcile", SecretKey: rand.Text(), Region: "us-east-1"}
		if err = m.start(); err == nil {
			return m, nil
		}
	}
	return nil, err
}

// minio is a server process.
type minio struct {
	Server
	program string
	dir     string
	remove  string // directory that goes with the process, or empty
	address string
	cmd     *exec.Cmd // of the watcher
}

func (m *minio) start() error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil { // an attempt that failed may have taken it away
		return err
	}
	m.cmd = exec.Command("sh", "-c", watcher, "sh", m.program, m.dir, m.address, m.remove)
	m.cmd.Env = append(os.Environ(),
		"MINIO_ROOT_USER="+m.AccessKey, "MINIO_ROOT_PASSWORD="+m.SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+m.dir)
	hold, err := m.cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.hold = hold
	if err := waitReady(m.Endpoint); err != nil {
		log, _ := os.ReadFile(filepath.Join(m.dir, "log"))
		return errors.Join(fmt.Errorf("%s on %s: %w\n%s", m.program, m.address, err, log), m.kill())
	}
	return nil
}

// kill ends the server as kill -9 does, and waits for its end.
func (m *minio) kill() error {
	return errors.Join(m.hold.Close(), m.cmd.Wait())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// waitReady asks until the server answers, at most some minutes' worth of
// times.
func waitReady(endpoint string) error {
	var last error
	for range 1200 {
		resp, err := http.Get(endpoint + "/minio/health/ready")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		last = err
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("not ready: %w", last)
}
