package writer

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"waconcile/reconcile"

	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/source"
)

// readBackRows is the number of rows of a frame that is read back.
const readBackRows = 8 << 10

// ReadParquet reads a table back, column by column, through an implementation
// of Parquet that shares nothing with the one that wrote it. The file must
// have the columns of s and nothing else, with the names, order, physical
// types, logical types and nullability that WriteParquet gives them. A frame
// is valid until the next is asked for. A file that is damaged ends the
// sequence with an error, not with a panic; but the header of a damaged page
// can ask for more memory than there is, so that the hash of a file from
// elsewhere is to be checked first.
func ReadParquet(f io.ReaderAt, size int64, s Schema) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		r, err := openBack(f, size, s)
		if err != nil {
			yield(Frame{}, err)
			return
		}
		for left := r.footerRows(); left > 0; {
			frame, err := r.next(int(min(left, readBackRows)))
			if err != nil {
				yield(Frame{}, err)
				return
			}
			if !yield(frame, nil) {
				return
			}
			left -= int64(frame.Rows)
		}
	}
}

// backReader reads one file. Its library panics on damaged files, always in
// the goroutine that called it, and so every call is guarded.
type backReader struct {
	schema Schema
	pr     *reader.ParquetReader
}

func openBack(f io.ReaderAt, size int64, s Schema) (r *backReader, err error) {
	defer recoverTo(&err)
	if err := checkEnds(f, size); err != nil {
		return nil, err
	}
	pr, err := reader.NewParquetColumnReader(&cursor{at: f, size: size}, 1)
	if err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	r = &backReader{schema: s, pr: pr}
	return r, r.checkSchema()
}

// recoverTo turns a panic of the library into an error.
func recoverTo(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged file: %v", p)
	}
}

// parquetMagic is the first and the last of a file; the length of the footer
// in four bytes is before the last.
const parquetMagic = "PAR1"

// checkEnds looks at what the library trusts.
func checkEnds(f io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if size < int64(len(head)+len(tail)) {
		return fmt.Errorf("%d bytes are no Parquet file", size)
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("read start: %w", err)
	}
	if n, err := f.ReadAt(tail[:], size-int64(len(tail))); n < len(tail) {
		return fmt.Errorf("read end: %w", err)
	}
	if string(head[:]) != parquetMagic || string(tail[4:]) != parquetMagic {
		return errors.New("not a Parquet file, or cut short")
	}
	footer := int64(tail[0]) | int64(tail[1])<<8 | int64(tail[2])<<16 | int64(tail[3])<<24
	if footer > size-int64(len(head)+len(tail)) {
		return fmt.Errorf("footer of %d bytes in a file of %d", footer, size)
	}
	return nil
}

func (r *backReader) footerRows() int64 { return r.pr.Footer.GetNumRows() }

// onlyGroup makes r start anew with a row group of the file, and see no other.
// groups are all of them, as the footer has them.
func (r *backReader) onlyGroup(groups []*parquet.RowGroup, i int) {
	r.pr.Footer.RowGroups = groups[i : i+1]
	r.pr.ColumnBuffers = map[string]*reader.ColumnBufferType{}
}

// checkSchema holds the schema in the footer against the one that the table
// has by contract.
func (r *backReader) checkSchema() error {
	elements := r.pr.Footer.GetSchema()
	if len(elements) != len(r.schema)+1 {
		return fmt.Errorf("%d columns, want %d", len(elements)-1, len(r.schema))
	}
	for i, spec := range r.schema {
		e := elements[i+1]
		if name := r.pr.SchemaHandler.Infos[i+1].ExName; name != spec.Name {
			return fmt.Errorf("column %d is called %s, want %s", i, name, spec.Name)
		}
		repetition := parquet.FieldRepetitionType_REQUIRED
		if spec.Nullable {
			repetition = parquet.FieldRepetitionType_OPTIONAL
		}
		if e.GetRepetitionType() != repetition {
			return fmt.Errorf("column %s is %s, want %s", spec.Name, e.GetRepetitionType(), repetition)
		}
		if got, want := elementType(e), backType(spec.Type); got != want {
			return fmt.Errorf("column %s is %s, want %s", spec.Name, got, want)
		}
	}
	return nil
}

// elementType spells a column's type as the footer has it.
func elementType(e *parquet.SchemaElement) string {
	text := e.GetType().String()
	if e.IsSetTypeLength() && e.GetType() == parquet.Type_FIXED_LEN_BYTE_ARRAY {
		text += fmt.Sprintf("(%d)", e.GetTypeLength())
	}
	if e.IsSetConvertedType() {
		text += " " + e.GetConvertedType().String()
	}
	switch l := e.GetLogicalType(); {
	case l == nil:
	case l.IsSetDECIMAL():
		text += fmt.Sprintf(" decimal(%d,%d)", l.DECIMAL.GetPrecision(), l.DECIMAL.GetScale())
	case l.IsSetTIMESTAMP():
		text += fmt.Sprintf(" timestamp(utc=%v,ms=%v)", l.TIMESTAMP.GetIsAdjustedToUTC(), l.TIMESTAMP.Unit.IsSetMILLIS())
	case l.IsSetSTRING():
		text += " string"
	case l.IsSetDATE():
		text += " date"
	default:
		text += " other"
	}
	return text
}

// backType is what elementType gives for a column of type t.
func backType(t Type) string {
	switch t {
	case Text:
		return "BYTE_ARRAY UTF8 string"
	case Int32:
		return "INT32"
	case Int64:
		return "INT64"
	case Day:
		return "INT32 DATE date"
	case Instant:
		return "INT64 TIMESTAMP_MILLIS timestamp(utc=true,ms=true)"
	case Money:
		return "INT64 DECIMAL decimal(18,6)"
	case WideMoney:
		return "FIXED_LEN_BYTE_ARRAY(16) DECIMAL decimal(38,6)"
	}
	panic("unknown column type")
}

// next reads a frame of n rows.
func (r *backReader) next(n int) (Frame, error) {
	f := Frame{Rows: n, Columns: make([]Column, len(r.schema))}
	for i := range r.schema {
		var err error
		if f.Columns[i], err = r.column(i, n); err != nil {
			return Frame{}, err
		}
	}
	return f, nil
}

// column reads the next n values of a column. The library drops the error of a
// page that it cannot read, and fills a column chunk that ends early with
// nulls: the number of values and the nulls are what tells.
func (r *backReader) column(i, n int) (c Column, err error) {
	defer recoverTo(&err)
	spec := &r.schema[i]
	values, _, _, err := r.pr.ReadColumnByIndex(int64(i), int64(n))
	if err == nil && len(values) != n {
		err = fmt.Errorf("%d values where the footer promises %d", len(values), n)
	}
	if err == nil {
		c, err = backColumn(spec, values)
	}
	if err != nil {
		return Column{}, fmt.Errorf("column %s: %w", spec.Name, err)
	}
	return c, nil
}

func backColumn(spec *ColumnSpec, values []any) (Column, error) {
	var c Column
	var err error
	if spec.Nullable {
		c.Null = make([]bool, len(values))
		for i, v := range values {
			c.Null[i] = v == nil
		}
	}
	switch spec.Type {
	case Text:
		c.Text, err = backValues(values, spec.Nullable, func(v string) (string, error) { return v, nil })
	case Int32, Day:
		c.Int, err = backValues(values, spec.Nullable, func(v int32) (int64, error) { return int64(v), nil })
	case Int64, Instant:
		c.Int, err = backValues(values, spec.Nullable, func(v int64) (int64, error) { return v, nil })
	case Money:
		c.Micros, err = backValues(values, spec.Nullable, func(v int64) (reconcile.Micros, error) { return reconcile.Micros(v), nil })
	case WideMoney:
		c.Wide, err = backValues(values, spec.Nullable, parseWide)
	}
	return c, err
}

func backValues[From, To any](values []any, nullable bool, convert func(From) (To, error)) ([]To, error) {
	out := make([]To, len(values))
	for i, v := range values {
		if v == nil && nullable {
			continue
		}
		from, ok := v.(From)
		if !ok {
			return nil, fmt.Errorf("row %d of the piece holds %T, want %T", i, v, from)
		}
		to, err := convert(from)
		if err != nil {
			return nil, err
		}
		out[i] = to
	}
	return out, nil
}

// cursor is a reading position in a file. The library opens one for each
// column, and closes one at every row group and then reads on, so that Close
// does nothing: the file belongs to the caller.
type cursor struct {
	at   io.ReaderAt
	size int64
	pos  int64
}

func (c *cursor) Read(p []byte) (int, error) {
	if c.pos >= c.size {
		return 0, io.EOF
	}
	n, err := c.at.ReadAt(p[:min(int64(len(p)), c.size-c.pos)], c.pos)
	c.pos += int64(n)
	if n > 0 {
		err = nil // a reading that stops short is met again at its end
	}
	return n, err
}

func (c *cursor) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.pos
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 || offset > c.size {
		return 0, fmt.Errorf("seek to %d in a file of %d bytes", offset, c.size)
	}
	c.pos = offset
	return offset, nil
}

func (c *cursor) Open(string) (source.ParquetFile, error) {
	return &cursor{at: c.at, size: c.size}, nil
}

func (c *cursor) Create(string) (source.ParquetFile, error) { return nil, errors.ErrUnsupported }
func (c *cursor) Write([]byte) (int, error)                 { return 0, errors.ErrUnsupported }
func (c *cursor) Close() error                              { return nil }
