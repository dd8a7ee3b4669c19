package s3test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Network is the way of one client to a Store: an http.RoundTripper without
// sockets.
type Network struct {
	Store  *Store
	Client string // its name in the history
	Plan   *Plan  // nil: nothing goes wrong and no time passes

	mu    sync.Mutex
	calls map[Call]int
}

// S3 is an S3 client over the network, which is made as cmd/waconcile makes
// its own. It tries as often as the SDK does by itself; the waits between are
// the same each time.
func (n *Network) S3() *s3.Client {
	endpoint := "http://s3.test"
	return s3.New(s3.Options{
		BaseEndpoint:               &endpoint,
		Region:                     "us-east-1",
		Credentials:                credentials.NewStaticCredentialsProvider("key", "secret", ""),
		UsePathStyle:               true,
		HTTPClient:                 &http.Client{Transport: n},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
				return time.Duration(attempt) * 100 * time.Millisecond, nil
			})
		}),
	})
}

// count gives a call its number.
func (n *Network) count(c Call) Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.Client = n.Client
	if n.calls == nil {
		n.calls = map[Call]int{}
	}
	// What a write is conditioned on depends on what others do, and so does
	// not tell calls apart.
	same := c
	same.If = ""
	c.N = n.calls[same]
	n.calls[same]++
	return c
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := requestBody(r)
	if err != nil {
		return nil, err
	}
	call := n.count(callOf(r))
	p := passage{call: call, fault: n.Plan.fault(call)}
	there, back := n.Plan.delays(call)
	if p.fault == Silent {
		there += silence
	}
	arrival := time.Now().Add(there)
	if err := wait(r.Context(), there); err != nil {
		n.abandon(r, body, p, arrival)
		return nil, err
	}
	resp, err := n.pass(r, body, p)
	if err != nil {
		return nil, err
	}
	if err := wait(r.Context(), back); err != nil {
		return nil, err
	}
	return resp, nil
}

// abandon is what becomes of a call whose client gives up before the store has
// it: what was to change something may still arrive.
func (n *Network) abandon(r *http.Request, body []byte, p passage, arrival time.Time) {
	p.late = true
	switch {
	case p.fault == Unsent || p.fault == Silent || p.fault == Conflict || p.fault == SlowDown:
		n.Store.log(Event{Call: p.call, Fault: p.fault, Late: true})
	case p.call.Op.changes():
		go func() {
			time.Sleep(time.Until(arrival))
			n.ask(r, body, p)
		}()
	}
}

// requestBody takes all of a request's body, as RoundTrip must.
func requestBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

// pass does one call with its fault.
func (n *Network) pass(r *http.Request, body []byte, p passage) (*http.Response, error) {
	switch p.fault {
	case Unsent, Silent:
		n.Store.log(Event{Call: p.call, Fault: p.fault})
		return nil, reset()
	case Conflict:
		n.Store.log(Event{Call: p.call, Fault: p.fault})
		return refusal(r, http.StatusConflict, "ConditionalRequestConflict"), nil
	case SlowDown:
		n.Store.log(Event{Call: p.call, Fault: p.fault})
		return refusal(r, http.StatusServiceUnavailable, "SlowDown"), nil
	case Delayed:
		p.late = true
		go func() {
			time.Sleep(upTo(n.Plan.dice(p.call, "late"), stall))
			n.ask(r, body, p)
		}()
		return nil, reset()
	case Stale:
		p.undo = 1 + n.Plan.dice(p.call, "stale").IntN(mostUndo)
	}
	resp := n.ask(r, body, p)
	took := resp.StatusCode/100 == 2
	switch {
	case p.fault == Lost:
		return nil, reset()
	case p.fault == Failed && took:
		return refusal(r, http.StatusInternalServerError, "InternalError"), nil
	case p.fault == Refused && took:
		return refusal(r, http.StatusPreconditionFailed, "PreconditionFailed"), nil
	case p.fault == Cut && took:
		resp.Body = &brokenBody{Reader: io.LimitReader(resp.Body, resp.ContentLength/2)}
	case p.fault == Slow && took:
		dice := n.Plan.dice(p.call, "stall")
		resp.Body = &slowBody{ctx: r.Context(), body: resp.Body, piece: 1 + resp.ContentLength/4, pause: func() time.Duration { return upTo(dice, stall) }}
	}
	return resp, nil
}

// ask has the store serve a call.
func (n *Network) ask(r *http.Request, body []byte, p passage) *http.Response {
	r = withPassage(r, p)
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	n.Store.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp
}

func refusal(r *http.Request, status int, code string) *http.Response {
	w := httptest.NewRecorder()
	refuse(status, code).write(w, r)
	resp := w.Result()
	resp.Request = r
	return resp
}

// reset is how a connection ends.
func reset() error { return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET} }

// wait lets d pass, or less if ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// brokenBody ends before its time.
type brokenBody struct{ io.Reader }

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

// slowBody comes in pieces.
type slowBody struct {
	ctx   context.Context
	body  io.ReadCloser
	piece int64
	pause func() time.Duration
	given int64 // of the piece at hand
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.given == b.piece {
		if err := wait(b.ctx, b.pause()); err != nil {
			return 0, err
		}
		b.given = 0
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.piece-b.given)])
	b.given += int64(n)
	return n, err
}

func (b *slowBody) Close() error { return b.body.Close() }
