package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3Client is what reading needs of the SDK's client. Retries of requests are
// the client's.
type S3Client interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// S3Options says how objects are fetched. The zero value takes the defaults.
type S3Options struct {
	RangeBytes   int64         // bytes of one ranged GET; default 4 MiB
	InFlight     int           // ranged GETs of one open object at a time; default 4
	CacheBytes   int64         // of one open object kept in memory; default 64 MiB, at least InFlight+1 ranges
	TailBytes    int64         // end of an object that is fetched at once, for the footer; default 256 KiB
	RangeTimeout time.Duration // for one attempt at one range, after which it is tried anew; default 2 min
}

// Validate refuses negative settings.
func (o S3Options) Validate() error {
	if o.RangeBytes < 0 || o.InFlight < 0 || o.CacheBytes < 0 || o.TailBytes < 0 || o.RangeTimeout < 0 {
		return errors.New("s3 reading options: negative value")
	}
	return nil
}

func (o S3Options) withDefaults() S3Options {
	o.RangeBytes = cmp.Or(o.RangeBytes, 4<<20)
	o.InFlight = cmp.Or(o.InFlight, 4)
	o.CacheBytes = max(cmp.Or(o.CacheBytes, 64<<20), int64(o.InFlight+1)*o.RangeBytes)
	o.TailBytes = min(cmp.Or(o.TailBytes, 256<<10), o.RangeBytes)
	o.RangeTimeout = cmp.Or(o.RangeTimeout, 2*time.Minute)
	return o
}

// S3 is a Source over what lies below a prefix of a bucket. The prefix "a/b"
// is the objects "a/b/…" or, if there are none, the one object "a/b".
type S3 struct {
	client  S3Client
	options S3Options
	bucket  string
	prefix  string // of the full keys; empty or ends in "/"
	object  string // the full key that the prefix is if it is one object, or empty
	// single is set by a List that found the one object: keys are then its
	// base name.
	single  atomic.Bool
	buffers sync.Pool // of *[]byte with RangeBytes
}

// NewS3 makes a Source. It does not touch the network.
func NewS3(client S3Client, bucket, prefix string, opts S3Options) (*S3, error) {
	if bucket == "" {
		return nil, errors.New("s3: no bucket")
	}
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s := &S3{client: client, options: opts.withDefaults(), bucket: bucket}
	prefix = strings.TrimPrefix(prefix, "/")
	if p := strings.TrimRight(prefix, "/"); p != "" {
		s.prefix = p + "/"
		if p == prefix {
			s.object = p
		}
	}
	return s, nil
}

// String is the URL of the place.
func (s *S3) String() string { return s.url(strings.TrimSuffix(s.prefix, "/")) }

func (s *S3) url(fullKey string) string {
	if fullKey == "" {
		return "s3://" + s.bucket
	}
	return "s3://" + s.bucket + "/" + fullKey
}

func (s *S3) fullKey(key string) string {
	if s.single.Load() {
		return s.object
	}
	return s.prefix + key
}

// List implements Source. A prefix is compared as text.
func (s *S3) List(ctx context.Context, prefix string) ([]Object, error) {
	objects, err := s.listBelow(ctx, prefix)
	if err == nil && len(objects) == 0 && s.object != "" && strings.HasPrefix(path.Base(s.object), prefix) {
		objects, err = s.listObject(ctx)
	}
	if err != nil {
		return nil, storeFailure(ctx, "list", s.String(), err)
	}
	slices.SortFunc(objects, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return objects, nil
}

func (s *S3) listBelow(ctx context.Context, prefix string) ([]Object, error) {
	in := &s3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: aws.String(s.prefix + prefix), EncodingType: types.EncodingTypeUrl,
	}
	var objects []Object
	for {
		out, err := s.client.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, c := range out.Contents {
			o, full, err := listed(out, c)
			if err != nil {
				return nil, err
			}
			key, ok := strings.CutPrefix(full, s.prefix)
			if !ok {
				return nil, fmt.Errorf("listing gave %q, which is not below %q", full, s.prefix)
			}
			if o.Key = key; key == "" || strings.HasSuffix(key, "/") {
				continue
			}
			objects = append(objects, o)
		}
		if !aws.ToBool(out.IsTruncated) {
			return objects, nil
		}
		// Without this a store that repeats itself would be listed for ever.
		if t := aws.ToString(out.NextContinuationToken); t == "" || t == aws.ToString(in.ContinuationToken) {
			return nil, errors.New("listing is cut off without a way to go on")
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// listObject looks for the object that the whole prefix names: of all keys
// that begin with it, it sorts first.
func (s *S3) listObject(ctx context.Context) ([]Object, error) {
	out, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: &s.object, MaxKeys: aws.Int32(1), EncodingType: types.EncodingTypeUrl,
	})
	if err != nil {
		return nil, err
	}
	if len(out.Contents) == 0 {
		return nil, nil
	}
	o, full, err := listed(out, out.Contents[0])
	if err != nil || full != s.object {
		return nil, err
	}
	s.single.Store(true)
	o.Key = path.Base(full)
	return []Object{o}, nil
}

// listed takes one entry of a listing, whose keys are URL-encoded so that any
// byte can stand in the XML.
func listed(out *s3.ListObjectsV2Output, c types.Object) (o Object, fullKey string, err error) {
	fullKey = aws.ToString(c.Key)
	if out.EncodingType == types.EncodingTypeUrl {
		if fullKey, err = url.QueryUnescape(fullKey); err != nil {
			return Object{}, "", fmt.Errorf("key of the listing: %w", err)
		}
	}
	o = Object{Size: aws.ToInt64(c.Size), Version: etag(c.ETag)}
	if o.Version == "" || o.Size < 0 {
		return Object{}, "", fmt.Errorf("listing of %q has no ETag or no size", fullKey)
	}
	return o, fullKey, nil
}

// etag is an ETag without its quotes.
func etag(t *string) string { return strings.Trim(aws.ToString(t), `"`) }

// Identify implements Source. The ETag of the listing is the identity: reads
// are pinned to it, so an object that is another one by now shows there.
func (s *S3) Identify(_ context.Context, o Object) (string, error) { return o.Version, nil }

// Open implements Source. It does not touch the network; the first read does.
func (s *S3) Open(ctx context.Context, o Object) (File, error) {
	if o.Version == "" {
		return nil, fmt.Errorf("open %s: object without a version", s.url(s.fullKey(o.Key)))
	}
	return newS3File(ctx, s, o), nil
}
