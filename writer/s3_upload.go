package writer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
)

// errAborted ends the body of an upload that was given up. The transfer
// manager then aborts the parts that it has sent.
var errAborted = errors.New("upload aborted")

// pipeBytes gathers small writes: each write to the pipe waits for its reader.
const pipeBytes = 64 << 10

// s3Upload streams what is written to the transfer manager, which sends one
// PUT at the end if it is less than a part, else part by part as they fill.
// One goroutine lives from Create to Commit or Abort.
type s3Upload struct {
	ctx    context.Context // of Create, which bounds the sending
	where  string
	cancel context.CancelFunc
	buf    *bufio.Writer
	pipe   *io.PipeWriter
	done   chan struct{}
	err    error // of the transfer manager; valid once done is closed
	ended  bool
}

// Create implements Target.
func (t *S3) Create(ctx context.Context, key string) (Upload, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, storeFailure(ctx, "create", t.url(key), nil)
	}
	u := &s3Upload{ctx: ctx, where: t.url(key), done: make(chan struct{})}
	sending, cancel := context.WithCancel(ctx)
	u.cancel = cancel
	body, pipe := io.Pipe()
	u.pipe = pipe
	u.buf = bufio.NewWriterSize(pipe, pipeBytes)
	go func() {
		defer close(u.done)
		_, u.err = t.uploads.UploadObject(sending, &transfermanager.UploadObjectInput{
			Bucket: &t.bucket, Key: aws.String(t.prefix + key), Body: body, ContentType: contentType(key),
		})
		// A writer must not wait for a reader that is gone.
		body.CloseWithError(u.err)
	}()
	return u, nil
}

func (u *s3Upload) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, storeFailure(u.ctx, "write", u.where, nil)
	}
	n, err := u.buf.Write(p)
	if err != nil {
		return n, storeFailure(u.ctx, "write", u.where, err)
	}
	return n, nil
}

// Commit implements Upload. An error may be that of an answer that was lost,
// in which case the object is there.
func (u *s3Upload) Commit(ctx context.Context) error {
	if u.ended {
		return fmt.Errorf("commit %s: already ended", u.where)
	}
	stop := context.AfterFunc(ctx, u.cancel)
	defer stop()
	err := u.buf.Flush()
	if err == nil && ctx.Err() == nil && u.ctx.Err() == nil {
		u.end(nil)
	} else {
		u.end(errAborted)
	}
	if u.err != nil {
		err = u.err
	}
	if err == nil {
		return nil
	}
	if u.ctx.Err() != nil {
		ctx = u.ctx
	}
	return storeFailure(ctx, "commit", u.where, err)
}

// Abort implements Upload. Nothing was visible before, and the parts that were
// sent are given up.
func (u *s3Upload) Abort() {
	if !u.ended {
		u.end(errAborted)
	}
}

// end closes the body with io.EOF or an error and waits for the sender.
func (u *s3Upload) end(err error) {
	u.ended = true
	u.pipe.CloseWithError(err)
	<-u.done
	u.cancel()
}
