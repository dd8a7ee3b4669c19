package writer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// s3Stored reads back one object, pinned to the ETag it had when it was
// opened, by ranges that start at multiples of RangeBytes. It keeps the last
// two, so that a reader of small steps and its footer do not push each other
// out.
type s3Stored struct {
	target *S3
	ctx    context.Context // of Open, which bounds the reading
	key    string
	size   int64
	etag   string

	mu     sync.Mutex // one fetch at a time
	ranges [2]storedRange
	closed bool
}

type storedRange struct {
	index int64
	data  []byte // nil is none
}

// Open implements Target. It asks for the first range at once, which tells
// the size and is all that there is of a small object.
func (t *S3) Open(ctx context.Context, key string) (Stored, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	f := &s3Stored{target: t, ctx: ctx, key: key}
	err := f.openFirst()
	if statusOf(err) == http.StatusRequestedRangeNotSatisfiable {
		err = f.openEmpty()
	}
	if err != nil {
		return nil, t.readFailure(ctx, "open", key, err)
	}
	return f, nil
}

// openFirst keeps the first range, unless its body breaks off: then it is
// asked for again once it is needed.
func (f *s3Stored) openFirst() error {
	unit := f.target.options.RangeBytes
	out, err := f.target.client.GetObject(f.ctx, &s3.GetObjectInput{
		Bucket: &f.target.bucket,
		Key:    aws.String(f.target.prefix + f.key),
		Range:  aws.String(fmt.Sprintf("bytes=0-%d", unit-1)),
	})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	f.etag = etag(out.ETag)
	answer := aws.ToString(out.ContentRange)
	_, total, _ := strings.Cut(answer, "/")
	if f.size, err = strconv.ParseInt(total, 10, 64); err != nil || f.size <= 0 || f.etag == "" {
		return fmt.Errorf("answer has no length or no ETag: range %q of %q", answer, f.etag)
	}
	if want := fmt.Sprintf("bytes 0-%d/%d", min(unit, f.size)-1, f.size); answer != want {
		return fmt.Errorf("store answered range %q, not %q", answer, want)
	}
	data := make([]byte, min(unit, f.size))
	if _, err := io.ReadFull(out.Body, data); err == nil {
		f.ranges[0] = storedRange{index: 0, data: data}
	}
	return nil
}

// openEmpty opens an object that has no first range.
func (f *s3Stored) openEmpty() error {
	out, err := f.target.client.HeadObject(f.ctx, &s3.HeadObjectInput{Bucket: &f.target.bucket, Key: aws.String(f.target.prefix + f.key)})
	if err != nil {
		return err
	}
	if f.etag = etag(out.ETag); f.etag == "" || out.ContentLength == nil || *out.ContentLength != 0 {
		return errors.New("store says that the object is empty, and that it is not, or gives no ETag")
	}
	return nil
}

func (f *s3Stored) Size() int64 { return f.size }

// ReadAt implements io.ReaderAt.
func (f *s3Stored) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset %d", f.target.url(f.key), off)
	}
	want := int(min(int64(len(p)), max(f.size-off, 0)))
	unit := f.target.options.RangeBytes
	for n := 0; n < want; {
		at := off + int64(n)
		data, err := f.rangeAt(at / unit)
		if err != nil {
			return n, err
		}
		n += copy(p[n:want], data[at%unit:])
	}
	if want < len(p) {
		return want, io.EOF
	}
	return want, nil
}

// rangeAt returns a range, whose bytes never change.
func (f *s3Stored) rangeAt(i int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, fmt.Errorf("read %s: %w", f.target.url(f.key), os.ErrClosed)
	}
	for _, r := range f.ranges {
		if r.data != nil && r.index == i {
			return r.data, nil
		}
	}
	unit := f.target.options.RangeBytes
	data := make([]byte, min(unit, f.size-i*unit))
	if err := f.fetch(data, i*unit); err != nil {
		return nil, storeFailure(f.ctx, "read", f.target.url(f.key), err)
	}
	f.ranges[1] = f.ranges[0]
	f.ranges[0] = storedRange{index: i, data: data}
	return data, nil
}

// fetch fills p from off. A body that breaks off is asked for again from
// there.
func (f *s3Stored) fetch(p []byte, off int64) error {
	got := 0
	for attempt := 1; ; attempt++ {
		body, err := f.get(off+int64(got), off+int64(len(p)))
		if err != nil {
			return err
		}
		n, err := io.ReadFull(body, p[got:])
		body.Close()
		if got += n; err == nil {
			return nil
		}
		if attempt == readAttempts || f.ctx.Err() != nil {
			return fmt.Errorf("body broke off after %d of %d bytes: %w", got, len(p), err)
		}
	}
}

// get asks for the bytes [from, to), of which there is at least one.
func (f *s3Stored) get(from, to int64) (io.ReadCloser, error) {
	out, err := f.target.client.GetObject(f.ctx, &s3.GetObjectInput{
		Bucket:  &f.target.bucket,
		Key:     aws.String(f.target.prefix + f.key),
		IfMatch: aws.String(`"` + f.etag + `"`),
		Range:   aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
	})
	if err != nil {
		return nil, err
	}
	want := fmt.Sprintf("bytes %d-%d/%d", from, to-1, f.size)
	if r := aws.ToString(out.ContentRange); r != want || etag(out.ETag) != f.etag {
		out.Body.Close()
		return nil, fmt.Errorf("store answered range %q of %s, not %q of %s", r, etag(out.ETag), want, f.etag)
	}
	return out.Body, nil
}

// fetchTo implements fetcher: what opening has brought, one GET for the rest,
// and another from where a body broke off, for as long as each brings
// something.
func (f *s3Stored) fetchTo(w io.Writer) error {
	to := &sink{w: w}
	got := int64(0)
	if first := f.ranges[0]; first.index == 0 && first.data != nil {
		n, err := to.Write(first.data)
		if err != nil {
			return storeFailure(f.ctx, "read", f.target.url(f.key), err)
		}
		got = int64(n)
	}
	for idle := 0; got < f.size; {
		body, err := f.get(got, f.size)
		if err != nil {
			return storeFailure(f.ctx, "read", f.target.url(f.key), err)
		}
		n, err := io.Copy(to, body)
		body.Close()
		if to.err != nil {
			return storeFailure(f.ctx, "read", f.target.url(f.key), to.err)
		}
		got += n
		if idle++; n > 0 {
			idle = 0
		}
		if got < f.size && (idle == readAttempts || f.ctx.Err() != nil) {
			err = fmt.Errorf("body broke off after %d of %d bytes: %w", got, f.size, cmp.Or(err, io.ErrUnexpectedEOF))
			return storeFailure(f.ctx, "read", f.target.url(f.key), err)
		}
	}
	return nil
}

// sink tells the error of a writer from that of a reader.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.w.Write(p)
	return n, s.err
}

// fetchToDisk implements fetcher. The spool is sealed.
func (f *s3Stored) fetchToDisk() (*spool, error) {
	s, err := newSpool(f.target.options.TempDir)
	if err != nil {
		return nil, storeFailure(f.ctx, "read", f.target.url(f.key), err)
	}
	if err := f.fetchTo(s); err != nil {
		s.remove()
		return nil, err
	}
	if err := s.seal(); err != nil {
		s.remove()
		return nil, storeFailure(f.ctx, "read", f.target.url(f.key), err)
	}
	return s, nil
}

func (f *s3Stored) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.ranges = [2]storedRange{}
	return nil
}
