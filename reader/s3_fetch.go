package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// fetchAttempts is how often a range is asked for when its body breaks off.
// The client's own retries end where the body begins.
const fetchAttempts = 4

// errBody marks an answer that began well and broke off.
var errBody = errors.New("body broke off")

// fetch fills a block. What came before a body broke off is kept and the rest
// asked for.
func (f *s3File) fetch(b *block) error {
	got := 0
	for attempt := 1; ; attempt++ {
		n, err := f.get(b.data[got:], b.off+int64(got))
		got += n
		if err == nil {
			return nil
		}
		again := errors.Is(err, errBody) || errors.Is(err, context.DeadlineExceeded)
		if !again || attempt == fetchAttempts || f.ctx.Err() != nil {
			return err
		}
	}
}

// get makes one attempt at filling p from off. It returns an error unless all
// of p came.
func (f *s3File) get(p []byte, off int64) (int, error) {
	ctx, cancel := context.WithTimeout(f.ctx, f.source.options.RangeTimeout)
	defer cancel()
	out, err := f.source.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket:  &f.source.bucket,
		Key:     &f.key,
		IfMatch: aws.String(`"` + f.object.Version + `"`),
		Range:   aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)),
	})
	if err != nil {
		if isChange(err) {
			err = ErrChanged
		}
		return 0, err
	}
	defer out.Body.Close()
	// A store that does not know If-Match or Range answers all the same.
	if etag(out.ETag) != f.object.Version {
		return 0, ErrChanged
	}
	want := fmt.Sprintf("bytes %d-%d/%d", off, off+int64(len(p))-1, f.object.Size)
	if r := aws.ToString(out.ContentRange); r != want {
		return 0, fmt.Errorf("store answered range %q, not %q", r, want)
	}
	n, err := io.ReadFull(out.Body, p)
	if err != nil {
		return n, fmt.Errorf("%w after %d of %d bytes: %w", errBody, n, len(p), err)
	}
	return n, nil
}

// isChange tells an object that is another one, or gone, since it was listed.
func isChange(err error) bool {
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		return true
	}
	r, ok := errors.AsType[*awshttp.ResponseError](err)
	return ok && (r.HTTPStatusCode() == http.StatusPreconditionFailed ||
		r.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable)
}
