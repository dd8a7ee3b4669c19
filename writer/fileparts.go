package writer

import (
	"encoding/binary"
	"io"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// offsetWriter counts the bytes that have gone to a file.
type offsetWriter struct {
	io.Writer
	offset int64
}

func (w *offsetWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.offset += int64(n)
	return n, err
}

// Tell is the offset in the file that is written next.
func (w *offsetWriter) Tell() int64 { return w.offset }

// parquetFile is the frame of a Parquet file: its beginning, its row groups and
// its footer.
type parquetFile struct {
	sink   *offsetWriter
	meta   *metadata.FileMetaDataBuilder
	chunks chunkWriter
	groups int
}

// beginFile writes the beginning of a file.
func beginFile(w io.Writer, root *schema.GroupNode, props *parquet.WriterProperties) (*parquetFile, error) {
	f := &parquetFile{
		sink: &offsetWriter{Writer: w},
		meta: metadata.NewFileMetadataBuilder(schema.NewSchema(root), props, nil),
	}
	f.chunks = chunkWriter{props: props, sink: f.sink}
	_, err := io.WriteString(f.sink, parquetMagic)
	return f, err
}

// group writes a row group: each column by write, in their order.
func (f *parquetFile) group(rows int, write func(column int, w *chunkWriter) error) error {
	meta := f.meta.AppendRowGroup()
	total := int64(0)
	for i := range meta.NumColumns() {
		if err := f.chunks.begin(meta.NextColumnChunk(), f.groups, i); err != nil {
			return err
		}
		if err := write(i, &f.chunks); err != nil {
			return err
		}
		n, err := f.chunks.end()
		if err != nil {
			return err
		}
		total += n
	}
	meta.SetNumRows(rows)
	f.groups++
	return meta.Finish(total, int16(f.groups-1))
}

// end writes the footer.
func (f *parquetFile) end() error {
	meta, err := f.meta.Snapshot()
	if err != nil {
		return err
	}
	n, err := meta.WriteTo(f.sink, nil)
	if err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint32(nil, uint32(n))
	_, err = f.sink.Write(append(tail, parquetMagic...))
	return err
}
