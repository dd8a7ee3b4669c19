package reader

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// InputFile is one file of rates, accounts, markets or invoices that was
// read whole.
type InputFile struct {
	Key    string // relative to its Source
	Size   int64
	SHA256 string // hex
	Rows   int64  // without the header
}

// inputBytesMax bounds one file of these inputs, which is held in memory
// while it is read. A rate card has kilobytes.
const inputBytesMax = 256 << 20

// The extensions of the inputs.
const (
	extCSV     = ".csv"
	extParquet = ".parquet"
)

// InputError says where rates, accounts, markets or invoices cannot be used.
// It matches ErrInput.
type InputError struct {
	Where  string // the row, as "rates.csv:7", or the file; empty where Err names it
	Column string // empty where it is not about one column
	Err    error
}

func (e *InputError) Error() string {
	var b strings.Builder
	if e.Where != "" {
		b.WriteString(e.Where)
		if e.Column != "" {
			b.WriteString(" column " + e.Column)
		}
		b.WriteString(": ")
	}
	return b.String() + e.Err.Error()
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Is makes every InputError match ErrInput.
func (e *InputError) Is(target error) bool { return target == ErrInput }

// inputTable says what the files of an input are and takes their rows.
type inputTable struct {
	columns []column
	parquet bool // files may be Parquet, too
	each    func(*record)
}

// read hands the rows of one file to each.
func (t *inputTable) read(key string, data []byte) (InputFile, error) {
	sum := sha256.Sum256(data)
	f := InputFile{Key: key, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	each := func(r *record) {
		f.Rows++
		t.each(r)
	}
	var err error
	if t.parquet && (strings.ToLower(path.Ext(key)) == extParquet || bytes.HasPrefix(data, []byte(parquetMagic))) {
		err = readParquetTable(key, data, t.columns, each)
	} else {
		err = readCSV(key, data, t.columns, each)
	}
	return f, err
}

// readInputs reads every file of src that belongs to the table, in the order
// of the keys. A Source that is a single file is taken whatever its name.
func readInputs(ctx context.Context, src Source, table inputTable) ([]InputFile, error) {
	extensions := []string{extCSV}
	if table.parquet {
		extensions = append(extensions, extParquet)
	}
	objects, err := src.List(ctx, "")
	if err != nil {
		return nil, err
	}
	var files []InputFile
	for _, o := range objects {
		if !isInput(o.Key, extensions) && !isSingleFile(src, objects) {
			continue
		}
		data, err := readWhole(ctx, src, o)
		if err != nil {
			return nil, err
		}
		file, err := table.read(o.Key, data)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// isInput leaves out what is hidden or half written, in folders too.
func isInput(key string, extensions []string) bool {
	for name := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			return false
		}
	}
	return slices.Contains(extensions, strings.ToLower(path.Ext(key)))
}

// isSingleFile tells a Source made of one file from a directory that holds
// one: the place then ends in the name of the file.
func isSingleFile(src Source, objects []Object) bool {
	return len(objects) == 1 && path.Base(src.String()) == objects[0].Key
}

func readWhole(ctx context.Context, src Source, o Object) (data []byte, err error) {
	if o.Size > inputBytesMax {
		return nil, &InputError{Where: o.Key, Err: fmt.Errorf("%d bytes are more than the %d that an input may have", o.Size, inputBytesMax)}
	}
	f, err := src.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data = make([]byte, o.Size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, o.Size), data); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Key, err)
	}
	return data, nil
}

// refused makes an error of reconcile's about the rows of a table one that
// matches ErrInput.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return &InputError{Err: err}
}

// noFile is the error about a place without any file of an input that a run
// cannot do without.
func noFile() error {
	return &InputError{Err: errors.New("no .csv file there")}
}
