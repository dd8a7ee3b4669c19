package writer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// FileEntry is what a manifest says about one file of its run.
type FileEntry struct {
	Name   string `json:"name"` // relative to the run
	Rows   int64  `json:"rows"` // 0 for a file that is no table
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Totals holds the sum of each Int32, Int64, Money and WideMoney column
	// over its rows that are not null: a whole number, or six decimals.
	Totals map[string]string `json:"totals"`
	// Groups are the row groups of a Parquet file, for ReadBack: what its
	// writer counted and added up. A manifest does not hold them.
	Groups []RowGroup `json:"-"`
}

// RowGroup is what a row group of a Parquet file should hold.
type RowGroup struct {
	Rows   int64
	Totals map[string]string // as those of a FileEntry
}

// uploadBuffer gathers the small writes of an encoder.
const uploadBuffer = 64 << 10

// upload counts and hashes what goes into an Upload. Write never fails, since
// encoders lose or panic on the error of a writer: the first error stays in
// err, what follows it is dropped, and seal and commit return it.
type upload struct {
	key   string
	up    Upload
	buf   *bufio.Writer // nil once sealed
	hash  hash.Hash
	bytes int64
	err   error
}

func newUpload(ctx context.Context, t Target, key string) (*upload, error) {
	up, err := t.Create(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", key, err)
	}
	return uploadTo(key, up), nil
}

func uploadTo(key string, up Upload) *upload {
	u := &upload{key: key, up: up, hash: sha256.New()}
	u.buf = bufio.NewWriterSize(unbuffered{u}, uploadBuffer)
	return u
}

func (u *upload) Write(p []byte) (int, error) {
	if u.err == nil {
		_, u.err = u.buf.Write(p)
	}
	return len(p), nil
}

// unbuffered is the side of an upload on which the buffer empties itself.
type unbuffered struct{ u *upload }

func (w unbuffered) Write(p []byte) (int, error) {
	n, err := w.u.up.Write(p)
	w.u.hash.Write(p[:n])
	w.u.bytes += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// seal ends the writing. After an error only Abort is left.
func (u *upload) seal() error {
	if u.buf != nil && u.err == nil {
		u.err = u.buf.Flush()
	}
	u.buf = nil
	if u.err == nil {
		u.err = u.up.Seal()
	}
	if u.err != nil {
		return fmt.Errorf("write %s: %w", u.key, u.err)
	}
	return nil
}

// commit makes the object visible and describes it.
func (u *upload) commit(ctx context.Context, rows int64, totals []total) (FileEntry, error) {
	if err := u.seal(); err != nil {
		return FileEntry{}, err
	}
	if u.err = u.up.Commit(ctx); u.err != nil {
		return FileEntry{}, fmt.Errorf("write %s: %w", u.key, u.err)
	}
	return FileEntry{
		Name:   relativeName(u.key),
		Rows:   rows,
		Bytes:  u.bytes,
		SHA256: hex.EncodeToString(u.hash.Sum(nil)),
		Totals: totalsText(totals),
	}, nil
}

// WriteFile writes a file that is no table, such as the report, under key.
func WriteFile(ctx context.Context, t Target, key string, data []byte) (FileEntry, error) {
	u, err := newUpload(ctx, t, key)
	if err != nil {
		return FileEntry{}, err
	}
	defer u.up.Abort()
	u.Write(data)
	return u.commit(ctx, 0, nil)
}

// RunPrefix is the key under which the files of a run lie; it ends in a slash.
func RunPrefix(period, runID string) string { return RunsPrefix(period) + runID + "/" }

// RunsPrefix is the key under which the runs of a period lie; it ends in a
// slash.
func RunsPrefix(period string) string { return runsPrefix + period + "/" }

// RunOf is the run whose manifest has a key, if it is that of a manifest.
func RunOf(key string) (run string, ok bool) {
	run, ok = strings.CutSuffix(key, manifestName)
	if _, _, err := splitRun(run); err != nil {
		return "", false
	}
	return run, ok
}

// relativeName is a key without the prefix of its run.
func relativeName(key string) string {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) == 4 && (parts[0]+"/" == runsPrefix || parts[0]+"/" == simulationsPrefix) {
		return parts[3]
	}
	return key
}
