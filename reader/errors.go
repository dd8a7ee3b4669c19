package reader

import (
	"errors"
	"fmt"
	"strings"
)

// What an error of this package means to a run; each is matched with
// errors.Is. An object that changed while it was read matches ErrChanged
// instead.
var (
	// ErrData: an export that cannot be read, because it is not Parquet, is
	// cut short or damaged, lacks a column, or has one of a wrong type.
	ErrData = errors.New("export refused")
	// ErrInput: rates, accounts, markets or invoices that cannot be used.
	ErrInput = errors.New("input refused")
	// ErrStore: a store that did not answer, or answered with an error.
	ErrStore = errors.New("storage")
)

// NoRow is the row number of a FileError that is not about one row.
const NoRow int64 = -1

// FileError says why an export was refused. It matches ErrData.
type FileError struct {
	File   string // key relative to the exports
	Column string // the name as in the file; empty where it is not about one column
	Row    int64  // number of the row in the file, from 0, or NoRow
	Err    error  // the cause
}

func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString("read " + e.File)
	if e.Column != "" {
		b.WriteString(" column " + e.Column)
	}
	if e.Row != NoRow {
		fmt.Fprintf(&b, " row %d", e.Row)
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Is makes every FileError match ErrData.
func (e *FileError) Is(target error) bool { return target == ErrData }
