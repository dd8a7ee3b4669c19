package writer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

var (
	// ErrStore is matched by errors of the place that results go to: a disk
	// or a bucket that did not do what it was asked.
	ErrStore = errors.New("storage")

	// ErrUnsafeStore is matched where a store takes conditional writes
	// without heeding the condition: two runs could overwrite each other.
	ErrUnsafeStore = errors.New("store does not honour conditional writes")
)

// storeError is an error of a Target. It matches ErrStore unless its cause is
// one that callers ask for by name.
type storeError struct {
	verb  string // create, put, get …
	where string // path or URL
	err   error
}

func (e *storeError) Error() string {
	return e.verb + " " + e.where + ": " + causeText(e.err)
}

func (e *storeError) Unwrap() error { return e.err }

func (e *storeError) Is(target error) bool {
	return target == ErrStore && !errors.Is(e.err, ErrConflict) && e.err != fs.ErrNotExist
}

// storeFailure wraps an error of a store. The end of ctx is no fault of the
// store: its cause comes back as it is, so that a run that was cancelled is
// not reported as one whose store failed.
func storeFailure(ctx context.Context, verb, where string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", verb, where, context.Cause(ctx))
	}
	return &storeError{verb: verb, where: where, err: err}
}

// causeText leaves out what the SDK says about its own layers.
func causeText(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		text := api.ErrorCode()
		if m := api.ErrorMessage(); m != "" && m != text {
			text += ": " + m
		}
		if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.ServiceRequestID() != "" {
			text += " (request " + r.ServiceRequestID() + ")"
		}
		return text
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	return err.Error()
}

// checkKey refuses keys that do not name one place below a Target: absolute
// ones, those with "..", "." or empty parts, and the directory target's own.
func checkKey(key string) error {
	first, _, _ := strings.Cut(key, "/")
	if !fs.ValidPath(key) || key == "." || first == tempDir || key == lockKey {
		return fmt.Errorf("invalid key %q", key)
	}
	return nil
}

// checkPrefix refuses prefixes that are not those of Lister.
func checkPrefix(prefix string) error {
	dir, slash := strings.CutSuffix(prefix, "/")
	if prefix != "" && (!slash || checkKey(dir) != nil) {
		return fmt.Errorf("invalid prefix %q", prefix)
	}
	return nil
}

// sortListed brings a listing into the order of Lister: the walk of a
// directory and some stores have others.
func sortListed(objects []Listed) []Listed {
	slices.SortFunc(objects, func(a, b Listed) int { return cmp.Compare(a.Key, b.Key) })
	return objects
}
