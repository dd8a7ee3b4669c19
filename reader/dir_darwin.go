package reader

import (
	"fmt"
	"io/fs"
	"syscall"
)

// errNotDirectory is what a path through a file gives.
const errNotDirectory = syscall.ENOTDIR

// inodeVersion is the inode and the time of its last change.
func inodeVersion(info fs.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d-%d.%09d", s.Ino, s.Ctimespec.Sec, s.Ctimespec.Nsec)
	}
	return ""
}
