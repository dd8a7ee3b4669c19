package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"waconcile/batch"
)

// What a run keeps on disks for each row, as README.md tells it, measured and
// rounded up.
const (
	hashRoom   = 8  // of a message, in the temporary directory
	passRoom   = 25 // with several passes, beside that
	chargeRoom = 20 // its part of the charge tables: with results in a bucket there until they are sent, else in out
)

// room is what a file system has left.
type room struct {
	free     int64 // bytes
	inMemory bool
}

// examineRoom looks at where files are written to.
func (d *doctor) examineRoom(found *batch.Examined) {
	_, _, isBucket, err := splitPlace(d.settings.out)
	needed := temporaryRoom(found.Rows, found.Passes, isBucket)
	d.check("temporary files", func(c *batch.Check) {
		dir := os.TempDir()
		f, err := os.CreateTemp(dir, "waconcile-doctor-*")
		if err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
		if err != nil {
			c.Fail(fmt.Errorf("%w: %w", errDisk, err), "set TMPDIR to a directory that can be written to")
			return
		}
		tellRoom(c, dir, needed, found.Rows, roomOf)
		c.Found = "can be written in " + c.Found
	})
	if isBucket || err != nil || d.settings.out == "" || d.lacking["out"] != "" {
		return
	}
	d.check("room in out", func(c *batch.Check) { tellRoom(c, existing(d.settings.out), found.Rows*chargeRoom, found.Rows, roomOf) })
}

// temporaryRoom is what a run keeps in the temporary directory at most.
func temporaryRoom(rows int64, passes int, toBucket bool) int64 {
	each := int64(hashRoom)
	if passes > 1 {
		each += passRoom
	}
	if toBucket {
		each += chargeRoom
	}
	return rows * each
}

// tellRoom compares the room in a directory with what a run of so many rows
// takes at most; 0 rows are not known.
func tellRoom(c *batch.Check, dir string, needed, rows int64, roomOf func(dir string) (room, error)) {
	r, err := roomOf(dir)
	if err != nil {
		c.Found = dir
		return
	}
	c.Found = fmt.Sprintf("%s, with %s free", dir, aboutBytes(r.free))
	if rows > 0 {
		c.Found += fmt.Sprintf("; a run of %s takes up to %s", counted(int(rows), "row"), aboutBytes(needed))
	}
	switch {
	case r.free < needed:
		c.Warn(c.Found, "make room, or give it more")
	case r.inMemory:
		c.Warn(c.Found+"; it is in memory", "set TMPDIR to a directory on a disk: what lies there takes memory from the run")
	}
}

// existing is the nearest directory that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// aboutBytes writes a size in whole units of the largest that has two of them.
func aboutBytes(n int64) string {
	for _, unit := range []struct {
		suffix string
		shift  uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n>>unit.shift >= 2 {
			return fmt.Sprintf("%s %s", grouped(n>>unit.shift), unit.suffix)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
