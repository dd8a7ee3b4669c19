package writer

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// S3Client is what writing needs of the SDK's client: what the SDK's transfer
// manager asks for, of which this package calls PutObject, GetObject,
// HeadObject and ListObjectsV2 itself, and DeleteObject, which only Remove
// calls. Retries of uploads, reads and removals are the client's.
//
// The client should calculate checksums only where S3 requires them: many
// other stores refuse the trailing ones. Bodies are in memory here, so the
// SDK then signs their sha256 and the store still checks what arrives.
type S3Client interface {
	transfermanager.S3APIClient
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// S3Options says how objects are sent. The zero value takes the defaults. An
// upload is a file in TempDir until it is committed, and takes no memory; its
// Commit takes about PartBytes × (InFlight + 3), or for an object of less than
// PartBytes about twice its size.
type S3Options struct {
	TempDir      string        // where uploads wait for their Commit; default os.TempDir()
	PartBytes    int64         // of a multipart upload, which objects of this size and more are; at least 5 MiB, default 8 MiB; larger where an object would have more than 10,000
	InFlight     int           // parts of one upload being sent at a time; default 2
	RangeBytes   int64         // of one GET when reading back; default 4 MiB
	AbortTimeout time.Duration // for giving up an upload after its context has ended; default 30 s
}

const minPartBytes = 5 << 20 // of S3

// Validate refuses settings that S3 would refuse.
func (o S3Options) Validate() error {
	if o.PartBytes != 0 && o.PartBytes < minPartBytes {
		return fmt.Errorf("s3 writing options: parts of %d bytes, the least is %d", o.PartBytes, minPartBytes)
	}
	if o.InFlight < 0 || o.RangeBytes < 0 || o.AbortTimeout < 0 {
		return errors.New("s3 writing options: negative value")
	}
	return nil
}

func (o S3Options) withDefaults() S3Options {
	o.PartBytes = cmp.Or(o.PartBytes, 8<<20)
	o.InFlight = cmp.Or(o.InFlight, 2)
	o.RangeBytes = cmp.Or(o.RangeBytes, 4<<20)
	o.AbortTimeout = cmp.Or(o.AbortTimeout, 30*time.Second)
	return o
}

// S3 is a Target below a prefix of a bucket. What a crash leaves: of an upload,
// its file waconcile-upload-* in TempDir, which no run reads or removes again;
// if it was being committed, also parts that no listing shows, which a
// lifecycle rule of the bucket has to remove; of a Put, the object or nothing.
type S3 struct {
	client  S3Client
	uploads *transfermanager.Client
	options S3Options
	bucket  string
	prefix  string // empty or ends in "/"
}

// NewS3 makes a Target. It does not touch the network.
func NewS3(client S3Client, bucket, prefix string, opts S3Options) (*S3, error) {
	if bucket == "" {
		return nil, errors.New("s3: no bucket")
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	manager := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = opts.PartBytes
		o.MultipartUploadThreshold = opts.PartBytes
		o.Concurrency = opts.InFlight
		o.FailTimeout = opts.AbortTimeout
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	})
	return &S3{client: client, uploads: manager, options: opts, bucket: bucket, prefix: prefix}, nil
}

// String is the URL of the place.
func (t *S3) String() string {
	return strings.TrimSuffix("s3://"+t.bucket+"/"+t.prefix, "/")
}

func (t *S3) url(key string) string { return "s3://" + t.bucket + "/" + t.prefix + key }

// Put implements Target. The request is sent once: a second try after an
// answer that was lost would meet our own object and call it another's. What
// became of a Put that failed without an answer is for the caller to find out
// with Get.
func (t *S3) Put(ctx context.Context, key string, data []byte, cond Condition) error {
	return t.put(ctx, key, data, cond, sendOnce)
}

func (t *S3) put(ctx context.Context, key string, data []byte, cond Condition, options ...func(*s3.Options)) error {
	if err := checkKey(key); err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket:        &t.bucket,
		Key:           aws.String(t.prefix + key),
		Body:          bytes.NewReader(data),
		ContentLength: aws.Int64(int64(len(data))),
		ContentType:   contentType(key),
	}
	if cond.Version == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = aws.String(`"` + cond.Version + `"`)
	}
	_, err := t.client.PutObject(ctx, in, options...)
	switch {
	case err == nil:
		return nil
	case isConflict(err, cond):
		return storeFailure(ctx, "put", t.url(key), ErrConflict)
	case mayArrive(err):
		return unanswered{storeFailure(ctx, "put", t.url(key), err)}
	}
	return storeFailure(ctx, "put", t.url(key), err)
}

// mayArrive says whether a request that failed may be with the store, or on its
// way there: there was no answer, or only that of a gateway, though a connection
// had been made.
func mayArrive(err error) bool {
	switch statusOf(err) {
	case 0:
		dial, ok := errors.AsType[*net.OpError](err)
		return !ok || dial.Op != "dial"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func sendOnce(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// isConflict reads the answer to a conditional write: 412 is a condition that
// does not hold, 409 another write at the same time, and a missing key cannot
// be of the version asked for.
func isConflict(err error, cond Condition) bool {
	switch statusOf(err) {
	case http.StatusPreconditionFailed, http.StatusConflict:
		return true
	case http.StatusNotFound:
		return cond.Version != "" && codeOf(err) != "NoSuchBucket"
	}
	return false
}

func statusOf(err error) int {
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return r.HTTPStatusCode()
	}
	return 0
}

func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// readAttempts is how often a body that broke off is asked for again.
const readAttempts = 4

// Get implements Target. The version is the ETag.
func (t *S3) Get(ctx context.Context, key string) ([]byte, string, error) {
	if err := checkKey(key); err != nil {
		return nil, "", err
	}
	for attempt := 1; ; attempt++ {
		out, err := t.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &t.bucket, Key: aws.String(t.prefix + key)})
		if err != nil {
			return nil, "", t.readFailure(ctx, "get", key, err)
		}
		data, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err == nil && out.ContentLength != nil && *out.ContentLength != int64(len(data)) {
			err = io.ErrUnexpectedEOF
		}
		version := etag(out.ETag)
		if err == nil && version == "" {
			return nil, "", storeFailure(ctx, "get", t.url(key), errors.New("answer has no ETag"))
		}
		if err == nil {
			return data, version, nil
		}
		if attempt == readAttempts || ctx.Err() != nil {
			return nil, "", storeFailure(ctx, "get", t.url(key), err)
		}
	}
}

func (t *S3) readFailure(ctx context.Context, verb, key string, err error) error {
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok {
		err = fs.ErrNotExist
	}
	return storeFailure(ctx, verb, t.url(key), err)
}

// etag is an ETag without its quotes.
func etag(t *string) string { return strings.Trim(aws.ToString(t), `"`) }

// contentType lets a browser show what is opened from the bucket.
func contentType(key string) *string {
	switch path.Ext(key) {
	case ".html":
		return aws.String("text/html; charset=utf-8")
	case ".json":
		return aws.String("application/json")
	case ".csv":
		return aws.String("text/csv; charset=utf-8")
	}
	return aws.String("application/octet-stream")
}
