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
// kill -9 included, and takes its directory with it.
const watcher = `trap '' INT TERM HUP QUIT
"$1" server --quiet --address "$3" "$2/data" >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -9 $server
wait $server
rm -rf "$2"
`

// startAttempts is how many ports are tried: another process may take one
// between its choice and its use.
const startAttempts = 5

func startMinIO() (*Server, error) {
	program, err := binary()
	if err != nil {
		return nil, err
	}
	for range startAttempts {
		var s *Server
		if s, err = startOn(program); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func startOn(program string) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "waconcile-minio-")
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: "http://" + address, AccessKey: "waconcile", SecretKey: rand.Text(), Region: "us-east-1"}
	cmd := exec.Command("sh", "-c", watcher, "sh", program, dir, address)
	cmd.Env = append(os.Environ(),
		"MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+dir)
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := waitReady(s.Endpoint); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		hold.Close()
		return nil, errors.Join(fmt.Errorf("%s on %s: %w\n%s", program, address, err, log), cmd.Wait())
	}
	s.hold = hold
	return s, nil
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
