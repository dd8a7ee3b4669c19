package reader

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// storeError is an error of a place that objects are read from. It matches
// ErrStore, or ErrChanged where that is its cause.
type storeError struct {
	verb  string // list, read …
	where string // path or URL
	err   error
}

func (e *storeError) Error() string {
	return e.verb + " " + e.where + ": " + causeText(e.err)
}

func (e *storeError) Unwrap() error { return e.err }

func (e *storeError) Is(target error) bool {
	return target == ErrStore && !errors.Is(e.err, ErrChanged)
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
