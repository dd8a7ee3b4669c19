package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// fileCall is a system call by which a process changes what lies below a
// directory, or makes it last.
type fileCall struct {
	op   string
	path string // relative to the directory
	to   string // of renameat and linkat
}

// changes tells a call after which a killed process leaves something else than
// before it. Making an empty temporary file is left to the write that follows.
func (c fileCall) changes() bool { return c.op != "fsync" && c.op != "create" }

func (c fileCall) String() string { return strings.TrimSpace(c.op + " " + c.path + " " + c.to) }

// errNotTraced tells that this system does not let a process trace its child.
var errNotTraced = errors.New("system does not allow tracing")

// trace runs a process and stops it before each fileCall below a directory;
// that of the directory's own name, relative "..", is one of them. It gives the
// calls in their order and the exit code. Where at is not 0, the process is
// killed instead of the call number at of those that change something, and no
// thread of it does anything afterwards.
func trace(p *process, below string, at int) (calls []fileCall, code int, err error) {
	runtime.LockOSThread() // one thread has to do all the tracing
	defer runtime.UnlockOSThread()
	tr := &tracer{below: below, at: at}
	if err := tr.start(p); err != nil {
		return nil, 0, err
	}
	code, err = tr.run()
	text, readErr := os.ReadFile(tr.stderr)
	p.stderr.Write(text)
	return tr.calls, code, errors.Join(err, readErr)
}

type tracer struct {
	below  string
	at     int
	pid    int
	stderr string // file
	calls  []fileCall
	seen   int // calls that change something
	killed bool
}

// The parts of ptrace that package syscall leaves out.
const (
	ptraceExitKill       = 0x100000
	ptraceGetSyscallInfo = 0x420e
	syscallEntry         = 1
	syscallStop          = syscall.SIGTRAP | 0x80
	atCurrentDir         = -100
)

func (tr *tracer) start(p *process) error {
	stderr, err := os.CreateTemp(filepath.Dir(tr.below), "stderr-*")
	if err != nil {
		return err
	}
	defer stderr.Close()
	tr.stderr = stderr.Name()
	child, err := os.StartProcess(p.cmd.Path, p.cmd.Args, &os.ProcAttr{
		Env:   p.cmd.Env,
		Files: []*os.File{nil, nil, stderr},
		Sys:   &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		return errNotTraced
	}
	if err != nil {
		return err
	}
	tr.pid = child.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(tr.pid, &status, 0, nil); err != nil {
		return err
	}
	if !status.Stopped() {
		return errNotTraced
	}
	options := syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACESYSGOOD | ptraceExitKill
	if err := syscall.PtraceSetOptions(tr.pid, options); err != nil {
		return err
	}
	return syscall.PtraceSyscall(tr.pid, 0)
}

// run follows all threads of the process to its end. They are the only ones of
// its process group.
func (tr *tracer) run() (code int, err error) {
	for {
		var status syscall.WaitStatus
		thread, err := syscall.Wait4(-tr.pid, &status, syscall.WALL, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait for a traced process: %w", err)
		}
		if status.Exited() || status.Signaled() {
			if thread != tr.pid {
				continue
			}
			return status.ExitStatus(), nil // -1 where it was killed
		}
		if !status.Stopped() || tr.killed {
			continue
		}
		pass := 0
		switch sig := status.StopSignal(); sig {
		case syscallStop:
			if err := tr.stopped(thread); err != nil {
				return 0, err
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a thread began
		default:
			pass = int(sig)
		}
		if err := syscall.PtraceSyscall(thread, pass); err != nil && !errors.Is(err, syscall.ESRCH) {
			return 0, fmt.Errorf("trace: %w", err)
		}
	}
}

// stopped looks at a thread that is before or after a system call.
func (tr *tracer) stopped(thread int) error {
	var info struct {
		op      uint8
		_       [3]uint8
		arch    uint32
		ip, sp  uint64
		nr      uint64
		args    [6]uint64
		retData uint64
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno == syscall.ESRCH {
		return nil
	}
	if errno != 0 {
		return errNotTraced
	}
	if info.op != syscallEntry {
		return nil
	}
	call, ok := tr.fileCall(info.nr, info.args)
	if !ok {
		return nil
	}
	tr.calls = append(tr.calls, call)
	if call.changes() {
		tr.seen++
	}
	if !call.changes() || tr.seen != tr.at {
		return nil
	}
	tr.killed = true
	return syscall.Kill(tr.pid, syscall.SIGKILL)
}

func (tr *tracer) fileCall(nr uint64, args [6]uint64) (c fileCall, ok bool) {
	switch nr {
	case syscall.SYS_OPENAT:
		if args[2]&syscall.O_CREAT == 0 {
			return c, false
		}
		c = fileCall{op: "create", path: tr.at2(args[0], args[1])}
	case syscall.SYS_MKDIRAT:
		c = fileCall{op: "mkdir", path: tr.at2(args[0], args[1])}
		if _, err := os.Lstat(c.path); err == nil {
			return c, false // and changes nothing
		}
	case syscall.SYS_UNLINKAT:
		c = fileCall{op: "unlink", path: tr.at2(args[0], args[1])}
	case syscall.SYS_RENAMEAT:
		c = fileCall{op: "rename", path: tr.at2(args[0], args[1]), to: tr.at2(args[2], args[3])}
	case syscall.SYS_LINKAT:
		c = fileCall{op: "link", path: tr.at2(args[0], args[1]), to: tr.at2(args[2], args[3])}
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64:
		c = fileCall{op: "write", path: tr.open(args[0])}
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		c = fileCall{op: "fsync", path: tr.open(args[0])}
	}
	if c.path == "" {
		return c, false
	}
	if c.path, ok = tr.relative(c.path); !ok {
		return c, false
	}
	if c.to != "" {
		c.to, ok = tr.relative(c.to)
	}
	return c, ok
}

func (tr *tracer) relative(name string) (string, bool) {
	switch name {
	case tr.below:
		return ".", true
	case filepath.Dir(tr.below):
		return "..", true
	}
	return strings.CutPrefix(name, tr.below+"/")
}

// open is the name of an open file of the process.
func (tr *tracer) open(fd uint64) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tr.pid, fd))
	if err != nil {
		return ""
	}
	return name
}

// at2 is the name that a directory and a path in the memory of the process
// mean.
func (tr *tracer) at2(dir, address uint64) string {
	mem, err := os.Open("/proc/" + strconv.Itoa(tr.pid) + "/mem")
	if err != nil {
		return ""
	}
	defer mem.Close()
	text := make([]byte, syscall.PathMax)
	n, _ := mem.ReadAt(text, int64(address)) // up to the end of its memory
	name, _, ended := bytes.Cut(text[:n], []byte{0})
	if !ended {
		return ""
	}
	if filepath.IsAbs(string(name)) || int32(dir) == atCurrentDir {
		return string(name)
	}
	return filepath.Join(tr.open(dir), string(name))
}

// traced runs trace, and skips the test where the system does not allow it.
func traced(t *testing.T, p *process, below string, at int) ([]fileCall, int) {
	t.Helper()
	calls, code, err := trace(p, below, at)
	if errors.Is(err, errNotTraced) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return calls, code
}
