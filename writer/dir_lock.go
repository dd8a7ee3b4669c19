package writer

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how often a lock that another holds is asked for. It is held
// for the time of one small write.
const lockPoll = 5 * time.Millisecond

// lock takes the lock of all conditional writes of pointers, against other
// processes and other goroutines alike. The kernel ends it with the process.
func (d *Dir) lock(ctx context.Context) (unlock func(), err error) {
	root, err := d.open(true)
	if err != nil {
		return nil, err
	}
	if err := d.mkdirDurable(root, path.Dir(lockKey)); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(filepath.FromSlash(lockKey), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := waitLock(ctx, f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// waitLock asks again and again: a call that waits in the kernel would not end
// with ctx.
func waitLock(ctx context.Context, f *os.File) error {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
