package writer

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
)

// EncodeParquet gives the bytes that WriteParquet would write, for a file
// whose key follows from its bytes. name is what the entry is called by.
func EncodeParquet(ctx context.Context, name string, s Schema, frames iter.Seq2[Frame, error]) ([]byte, FileEntry, error) {
	var m memoryUpload
	entry, err := encode(ctx, name, &m, s, frames)
	return m.Bytes(), entry, err
}

// MeasureParquet describes the file that WriteParquet would write, and keeps
// nothing of it: for a file whose key follows from its bytes, and which memory
// may not hold.
func MeasureParquet(ctx context.Context, name string, s Schema, frames iter.Seq2[Frame, error]) (FileEntry, error) {
	return encode(ctx, name, noUpload{}, s, frames)
}

func encode(ctx context.Context, name string, to Upload, s Schema, frames iter.Seq2[Frame, error]) (FileEntry, error) {
	u := uploadTo(name, to)
	w, err := writeFrames(ctx, u, s, frames)
	if err == nil {
		err = u.seal()
	}
	if err != nil {
		return FileEntry{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return FileEntry{
		Name: name, Rows: w.rows, Bytes: u.bytes, SHA256: hex.EncodeToString(u.hash.Sum(nil)), Totals: totalsText(w.totals),
	}, nil
}

// DecodeParquet reads a table as ReadTable does, from the bytes of its file.
func DecodeParquet(ctx context.Context, name string, data []byte, s Schema, columns ...string) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		source := &tableSource{ReaderAt: bytes.NewReader(data), size: int64(len(data))}
		if err := eachFrame(ctx, source, s, columns, yield); err != nil {
			yield(Frame{}, fmt.Errorf("decode %s: %w", name, err))
		}
	}
}

// memoryUpload is an Upload that stays in memory.
type memoryUpload struct{ bytes.Buffer }

func (m *memoryUpload) Seal() error                  { return nil }
func (m *memoryUpload) Commit(context.Context) error { return nil }
func (m *memoryUpload) Abort()                       {}

// noUpload is an Upload that keeps nothing.
type noUpload struct{}

func (noUpload) Write(p []byte) (int, error)  { return len(p), nil }
func (noUpload) Seal() error                  { return nil }
func (noUpload) Commit(context.Context) error { return nil }
func (noUpload) Abort()                       {}
