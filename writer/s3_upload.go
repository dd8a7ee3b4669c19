package writer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
)

// s3Upload gathers what is written in a temporary file, which Commit sends.
// Nothing of it is in the bucket before.
type s3Upload struct {
	ctx    context.Context // of Create, which bounds all of it
	target *S3
	key    string
	spool  *spool
	failed error // of the first Write that failed, or of Seal
	sealed bool
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
	s, err := newSpool(t.options.TempDir)
	if err != nil {
		return nil, storeFailure(ctx, "create", t.url(key), err)
	}
	return &s3Upload{ctx: ctx, target: t, key: key, spool: s}, nil
}

func (u *s3Upload) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, storeFailure(u.ctx, "write", u.where(), nil)
	}
	if u.sealed || u.ended {
		return 0, fmt.Errorf("write %s: already sealed", u.where())
	}
	n, err := u.spool.Write(p)
	if err != nil {
		err = storeFailure(u.ctx, "write", u.where(), err)
		u.failed = err
	}
	return n, err
}

// Seal implements Upload.
func (u *s3Upload) Seal() error {
	if u.ended {
		return fmt.Errorf("seal %s: already ended", u.where())
	}
	if u.sealed {
		return u.failed
	}
	u.sealed = true
	if err := errors.Join(u.ctx.Err(), u.spool.seal()); err != nil && u.failed == nil {
		u.failed = storeFailure(u.ctx, "seal", u.where(), err)
	}
	return u.failed
}

// Commit implements Upload. An error may be that of an answer that was lost,
// in which case the object is there.
func (u *s3Upload) Commit(ctx context.Context) error {
	if u.ended {
		return fmt.Errorf("commit %s: already ended", u.where())
	}
	err := u.Seal()
	u.ended = true
	defer u.spool.remove()
	if err != nil {
		return err
	}
	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(u.ctx, cancel)
	defer stop()
	if err := u.send(sending); err != nil {
		if u.ctx.Err() != nil {
			ctx = u.ctx
		}
		return storeFailure(ctx, "commit", u.where(), err)
	}
	return nil
}

// send hands the file to the transfer manager. One of less than a part goes in
// one PUT, else the manager reads and sends it part by part; where a part or
// the reading fails, or ctx ends, it gives up the parts that it has sent.
func (u *s3Upload) send(ctx context.Context) error {
	if err := errors.Join(ctx.Err(), u.ctx.Err()); err != nil {
		return err
	}
	body, err := u.spool.open()
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = u.target.uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket:        &u.target.bucket,
		Key:           aws.String(u.target.prefix + u.key),
		Body:          body,
		ContentLength: aws.Int64(u.spool.size),
		ContentType:   contentType(u.key),
	})
	return err
}

// Abort implements Upload.
func (u *s3Upload) Abort() {
	if !u.ended {
		u.ended = true
		u.spool.remove()
	}
}

func (u *s3Upload) where() string { return u.target.url(u.key) }
