package writer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// List implements Lister.
func (t *S3) List(ctx context.Context, prefix string) ([]Listed, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	objects, err := t.list(ctx, prefix)
	if err != nil {
		return nil, storeFailure(ctx, "list", t.url(prefix), err)
	}
	return sortListed(objects), nil
}

func (t *S3) list(ctx context.Context, prefix string) ([]Listed, error) {
	in := &s3.ListObjectsV2Input{
		Bucket: &t.bucket, Prefix: aws.String(t.prefix + prefix), EncodingType: types.EncodingTypeUrl,
	}
	var objects []Listed
	for {
		out, err := t.client.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range out.Contents {
			o, err := t.listed(out, &out.Contents[i])
			if err != nil {
				return nil, err
			}
			if checkKey(o.Key) == nil {
				objects = append(objects, o)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return objects, nil
		}
		// Without this a store that repeats itself would be listed for ever.
		if next := aws.ToString(out.NextContinuationToken); next == "" || next == aws.ToString(in.ContinuationToken) {
			return nil, errors.New("listing is cut off without a way to go on")
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// listed takes one entry of a listing, whose keys are URL-encoded so that any
// byte can stand in the XML.
func (t *S3) listed(out *s3.ListObjectsV2Output, c *types.Object) (o Listed, err error) {
	full := aws.ToString(c.Key)
	if out.EncodingType == types.EncodingTypeUrl {
		if full, err = url.QueryUnescape(full); err != nil {
			return o, fmt.Errorf("key of the listing: %w", err)
		}
	}
	key, below := strings.CutPrefix(full, t.prefix)
	if !below {
		return o, fmt.Errorf("listing gave %q, which is not below %q", full, t.prefix)
	}
	if c.Size == nil || c.LastModified == nil {
		return o, fmt.Errorf("listing gave %q without its size or time", full)
	}
	return Listed{Key: key, Size: *c.Size, Modified: *c.LastModified}, nil
}

// Remove implements Remover.
func (t *S3) Remove(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := t.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &t.bucket, Key: aws.String(t.prefix + key)})
	if err != nil && statusOf(err) == http.StatusNotFound && codeOf(err) != "NoSuchBucket" {
		err = nil // S3 itself answers 204 where there is none
	}
	if err != nil {
		return storeFailure(ctx, "remove", t.url(key), err)
	}
	return nil
}
