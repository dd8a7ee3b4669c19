package main

import "syscall"

// magicTmpfs is the type of a file system in memory.
const magicTmpfs = 0x01021994

func roomOf(dir string) (room, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return room{}, err
	}
	return room{free: int64(s.Bavail) * int64(s.Bsize), inMemory: int64(s.Type) == magicTmpfs}, nil
}
