package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"waconcile/reader"
	"waconcile/writer"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// stores opens places. All buckets share one client, which is made when the
// first of them is opened, so that a run between directories needs no
// credentials.
type stores struct {
	endpoint  string
	pathStyle bool
	client    *s3.Client
	opened    []io.Closer
}

func (s *settings) stores() *stores {
	return &stores{endpoint: s.s3Endpoint, pathStyle: s.s3PathStyle}
}

// source opens a place to read from; an empty place leaves dst as it is. The
// flag says in an error whose place it is.
func (st *stores) source(ctx context.Context, flag, place string, dst *reader.Source) error {
	if place == "" {
		return nil
	}
	bucket, prefix, isBucket, err := splitPlace(place)
	if err != nil {
		return err
	}
	if !isBucket {
		dir, err := reader.NewDir(place)
		if err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
		st.keep(dir)
		*dst = dir
		return nil
	}
	client, err := st.s3(ctx)
	if err != nil {
		return err
	}
	*dst, err = reader.NewS3(client, bucket, prefix, reader.S3Options{})
	return err
}

// target opens the place that results go to.
func (st *stores) target(ctx context.Context, place string, dst *writer.Store) error {
	bucket, prefix, isBucket, err := splitPlace(place)
	if err != nil {
		return err
	}
	if !isBucket {
		dir, err := writer.NewDir(place)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		st.keep(dir)
		*dst = dir
		return nil
	}
	client, err := st.s3(ctx)
	if err != nil {
		return err
	}
	*dst, err = writer.NewS3(client, bucket, prefix, writer.S3Options{})
	return err
}

const bucketScheme = "s3://"

// meansBucket tells a place that looks like a bucket's, right or mistyped. A
// directory of such a name is written ./s3:name.
func meansBucket(place string) bool {
	scheme, _, found := strings.Cut(place, ":")
	return found && strings.EqualFold(scheme, "s3")
}

// splitPlace tells a bucket from a path.
func splitPlace(place string) (bucket, prefix string, isBucket bool, err error) {
	rest, isBucket := strings.CutPrefix(place, bucketScheme)
	switch {
	case !isBucket && meansBucket(place):
		return "", "", false, fmt.Errorf("%q is not of the form s3://bucket/prefix", place)
	case !isBucket && strings.Contains(place, "://"):
		return "", "", false, fmt.Errorf("%q is neither s3://bucket/prefix nor a path", place)
	case !isBucket:
		return "", "", false, nil
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	if bucket == "" {
		return "", "", false, fmt.Errorf("%q names no bucket", place)
	}
	return bucket, prefix, true, nil
}

// regionOfOthers is signed with where an endpoint is given and no region is
// known: stores other than AWS take it.
const regionOfOthers = "us-east-1"

// s3 is the client of all buckets. Checksums that not every store knows are
// only used where the protocol asks for them; what is published is hashed by
// the program itself.
func (st *stores) s3(ctx context.Context) (*s3.Client, error) {
	if st.client != nil {
		return st.client, nil
	}
	options := []func(*config.LoadOptions) error{
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		config.WithRetryer(newRetryer),
	}
	if st.endpoint != "" {
		options = append(options, config.WithDefaultRegion(regionOfOthers))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: configure s3: %w", errUsage, err)
	}
	if loaded.Region == "" {
		return nil, fmt.Errorf("%w: configure s3: no region is known: set AWS_REGION", errUsage)
	}
	st.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = st.pathStyle
		if st.endpoint != "" {
			o.BaseEndpoint = &st.endpoint
		}
	})
	return st.client, nil
}

// newRetryer is the SDK's own, which also asks again where an answer breaks off
// amid its body, such as that of a listing. Writes with a condition are sent
// once whatever it says; see writer.S3.Put.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}

// keep remembers what close gives back.
func (st *stores) keep(place any) {
	if c, ok := place.(io.Closer); ok {
		st.opened = append(st.opened, c)
	}
}

// close gives back the directories. They were only read from, or what was
// written is durable already, so their errors say nothing.
func (st *stores) close() {
	for _, c := range st.opened {
		_ = c.Close()
	}
}
