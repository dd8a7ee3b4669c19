package s3test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Op is a kind of call.
type Op string

// The calls that a Store knows, by their names in S3.
const (
	GetObject    Op = "GetObject"
	HeadObject   Op = "HeadObject"
	ListObjects  Op = "ListObjectsV2"
	PutObject    Op = "PutObject"
	DeleteObject Op = "DeleteObject"
	StartUpload  Op = "CreateMultipartUpload"
	UploadPart   Op = "UploadPart"
	FinishUpload Op = "CompleteMultipartUpload"
	AbortUpload  Op = "AbortMultipartUpload"
)

// changes says whether such a call changes what lies under its key.
func (op Op) changes() bool {
	return op == PutObject || op == FinishUpload || op == DeleteObject
}

// Call is what a client asks for.
type Call struct {
	Client string
	Op     Op
	Key    string // of the object, or the prefix of a listing
	Detail string // range, part or page, where there is one
	If     string // condition of a write: empty, "*" for "if there is none", or an ETag
	N      int    // how often this client asked for the same before
}

// String is the call as a log shows it.
func (c Call) String() string {
	text := fmt.Sprintf("%s %s %s", c.Client, c.Op, c.Key)
	if c.Detail != "" {
		text += " " + c.Detail
	}
	if c.N > 0 {
		text += fmt.Sprintf(" (again, %d)", c.N)
	}
	return text
}

// callOf reads a request with the bucket in its path.
func callOf(r *http.Request) Call {
	_, key, isObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	c := Call{Key: key, If: ifOf(r.Header)}
	switch {
	case !isObject || key == "":
		c.Op, c.Key, c.Detail = ListObjects, q.Get("prefix"), q.Get("continuation-token")
	case r.Method == http.MethodGet:
		c.Op, c.Detail, c.If = GetObject, r.Header.Get("Range"), ""
	case r.Method == http.MethodHead:
		c.Op = HeadObject
	case r.Method == http.MethodPost && q.Has("uploads"):
		c.Op = StartUpload
	case r.Method == http.MethodPost:
		c.Op = FinishUpload
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		c.Op = AbortUpload
	case r.Method == http.MethodDelete:
		c.Op = DeleteObject
	case q.Has("partNumber"):
		c.Op, c.Detail = UploadPart, "part "+q.Get("partNumber")
	default:
		c.Op = PutObject
	}
	return c
}

func ifOf(h http.Header) string {
	return cmp.Or(h.Get("If-None-Match"), unquote(h.Get("If-Match")))
}

// passage is what a Network tells the Store of a call.
type passage struct {
	call  Call
	fault Fault
	undo  int  // changes that a listing does not know of
	late  bool // the client had its answer before this
}

type passageKey struct{}

func withPassage(r *http.Request, p passage) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), passageKey{}, p))
}

func passageOf(r *http.Request) passage {
	if p, ok := r.Context().Value(passageKey{}).(passage); ok {
		return p
	}
	return passage{call: callOf(r)}
}
