package s3test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the store says to a call.
type answer struct {
	status int
	code   string // of the error, where it is one
	header map[string]string
	body   []byte
}

func refuse(status int, code string) answer { return answer{status: status, code: code} }

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // as a server does whose client is gone
	}
	s.serve(r, body, passageOf(r)).write(w, r)
}

func (a answer) write(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	for name, value := range a.header {
		header.Set(name, value)
	}
	if a.code != "" {
		header.Set("Content-Type", "application/xml")
		a.body = fmt.Appendf(nil, "<Error><Code>%s</Code><Message>by the test</Message></Error>", a.code)
	}
	if header.Get("Content-Length") == "" {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// serve does a call and logs it, in one step.
func (s *Store) serve(r *http.Request, body []byte, p passage) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Event{Call: p.call, At: time.Now(), Fault: p.fault, Late: p.late}
	if s.Lie != nil {
		e.Lie = s.Lie(p.call)
	}
	a := s.do(r, body, p, &e)
	e.Status = a.status
	s.history = append(s.history, e)
	return a
}

func (s *Store) do(r *http.Request, body []byte, p passage, e *Event) answer {
	if sum := r.Header.Get("X-Amz-Content-Sha256"); len(sum) == hex.EncodedLen(sha256.Size) {
		if got := sha256.Sum256(body); hex.EncodeToString(got[:]) != sum {
			return refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		}
	}
	if strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") {
		return refuse(http.StatusNotImplemented, "NotImplemented")
	}
	switch key := p.call.Key; p.call.Op {
	case ListObjects:
		return s.list(r, s.past(key, p.undo))
	case GetObject, HeadObject:
		return s.get(r, key)
	case PutObject:
		return s.put(r, body, e)
	case DeleteObject:
		return s.delete(r, e)
	default:
		return s.multipart(r, body, e)
	}
}

// get answers GET and HEAD.
func (s *Store) get(r *http.Request, key string) answer {
	o, ok := s.objects[key]
	if !ok {
		return refuse(http.StatusNotFound, "NoSuchKey")
	}
	if want := r.Header.Get("If-Match"); want != "" && unquote(want) != o.etag {
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed")
	}
	a := answer{status: http.StatusOK, body: o.data, header: map[string]string{
		"ETag":          `"` + o.etag + `"`,
		"Last-Modified": o.modified.UTC().Format(http.TimeFormat),
	}}
	if text := r.Header.Get("Range"); text != "" {
		first, last, ok := rangeOf(text, int64(len(o.data)))
		if !ok {
			return refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
		}
		a.status, a.body = http.StatusPartialContent, o.data[first:last+1]
		a.header["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", first, last, len(o.data))
	}
	a.header["Content-Length"] = strconv.Itoa(len(a.body))
	return a
}

// rangeOf reads "bytes=first-last", the only form that is asked for here.
func rangeOf(text string, size int64) (first, last int64, ok bool) {
	if _, err := fmt.Sscanf(text, "bytes=%d-%d", &first, &last); err != nil {
		return 0, 0, false
	}
	return first, min(last, size-1), first <= last && first < size
}

func (s *Store) put(r *http.Request, body []byte, e *Event) answer {
	if a, ok := s.condition(r, e); !ok {
		return a
	}
	etag := etagOf(body)
	e.After = etag
	if e.Lie != Lose {
		// What is spoilt after it came in is known by the tag of what came.
		s.set(e.Key, spoilt(body, e.Lie), etag)
	}
	return answer{status: http.StatusOK, header: map[string]string{"ETag": `"` + etag + `"`}}
}

func (s *Store) delete(r *http.Request, e *Event) answer {
	if a, ok := s.condition(r, e); !ok {
		return a
	}
	s.remove(e.Key)
	return answer{status: http.StatusNoContent}
}

// condition notes what a write asks for and finds, and says whether it may
// take place; else the answer says why not.
func (s *Store) condition(r *http.Request, e *Event) (answer, bool) {
	now, exists := s.objects[e.Key]
	e.Before = now.etag
	ifNone, ifMatch := r.Header.Get("If-None-Match"), unquote(r.Header.Get("If-Match"))
	switch {
	case e.Lie == Blind:
	case ifNone != "" && ifNone != "*":
		return refuse(http.StatusNotImplemented, "NotImplemented"), false
	case ifNone == "*" && exists:
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed"), false
	case ifMatch != "" && !exists:
		return refuse(http.StatusNotFound, "NoSuchKey"), false
	case ifMatch != "" && ifMatch != "*" && ifMatch != now.etag:
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed"), false
	}
	return answer{}, true
}

func unquote(etag string) string { return strings.Trim(etag, `"`) }

func xmlAnswer(v any) answer {
	body, err := xml.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, "InternalError")
	}
	return answer{status: http.StatusOK, body: body, header: map[string]string{"Content-Type": "application/xml"}}
}
