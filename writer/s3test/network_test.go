package s3test_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"waconcile/writer/s3test"
)

// once is a plan by which the first call for anything meets a fault.
func once(f s3test.Fault) *s3test.Plan {
	return &s3test.Plan{
		Seed: 1, Most: 1, Faults: []s3test.Fault{f},
		Rate: func(s3test.Call) int { return 1000 },
	}
}

// What each fault does to a conditional write that is sent once: what the
// client hears, and whether the write took place.
func TestFaultsOfWrites(t *testing.T) {
	t.Parallel()
	for fault, want := range map[s3test.Fault]struct {
		status      int // 0: none, the connection ended
		there, late bool
	}{
		s3test.NoFault:  {200, true, true},
		s3test.Unsent:   {0, false, false},
		s3test.Silent:   {0, false, false},
		s3test.Lost:     {0, true, true},
		s3test.Delayed:  {0, false, true},
		s3test.Failed:   {500, true, true},
		s3test.Refused:  {412, true, true},
		s3test.Conflict: {409, false, false},
		s3test.SlowDown: {503, false, false},
		s3test.Cut:      {200, true, true},
		s3test.Slow:     {200, true, true},
		s3test.Stale:    {200, true, true},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &s3test.Store{}
				n := &s3test.Network{Store: store, Plan: once(fault)}
				c := client{t, s3.New(n.S3().Options(), func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })}
				_, err := c.put("k", "data", func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
				switch {
				case want.status == 200 && err != nil:
					t.Error(err)
				case want.status == 0 && (err == nil || !strings.Contains(err.Error(), "connection reset")):
					t.Errorf("error is %v, want a connection that ended", err)
				case want.status >= 400:
					wantStatus(t, err, want.status)
				}
				if _, there := store.Objects()["k"]; there != want.there {
					t.Errorf("at the answer the object is there: %v", there)
				}
				time.Sleep(time.Hour)
				if _, there := store.Objects()["k"]; there != want.late {
					t.Errorf("an hour later the object is there: %v", there)
				}
			})
		})
	}
}

func TestFaultsOfBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &s3test.Store{}
		store.Put("k", []byte("0123456789"))
		cut := client{t, (&s3test.Network{Store: store, Plan: once(s3test.Cut)}).S3()}
		if got, err := cut.get("k", nil); got != "01234" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut: %q, %v", got, err)
		}
		if got, err := cut.get("k", nil); got != "0123456789" || err != nil {
			t.Errorf("after the cut: %q, %v", got, err)
		}
		start := time.Now()
		slow := client{t, (&s3test.Network{Store: store, Plan: once(s3test.Slow)}).S3()}
		if got, err := slow.get("k", nil); got != "0123456789" || err != nil || time.Since(start) < time.Second {
			t.Errorf("slow: %q, %v, after %v", got, err, time.Since(start))
		}
	})
}

// The SDK tries again, and the wait for an answer ends with its context.
func TestRetryAndPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &s3test.Store{}
		for _, f := range []s3test.Fault{s3test.Unsent, s3test.Silent, s3test.Failed, s3test.SlowDown} {
			c := client{t, (&s3test.Network{Store: store, Client: string(f), Plan: once(f)}).S3()}
			if _, err := c.put("k", "data", nil); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := (&s3test.Network{Store: store, Plan: once(s3test.Silent)}).S3()
		_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want the context's", err)
		}
	})
}

// A history follows from the seed: the same calls by any number of goroutines
// meet the same faults at the same times.
func TestHistoryFollowsSeed(t *testing.T) {
	t.Parallel()
	play := func(seed uint64) (log []string) {
		synctest.Test(t, func(t *testing.T) {
			store := &s3test.Store{}
			plan := &s3test.Plan{Seed: seed, Rate: func(s3test.Call) int { return 300 }}
			for _, name := range []string{"a", "b", "c"} {
				c := client{t, (&s3test.Network{Store: store, Client: name, Plan: plan}).S3()}
				for i := range 4 {
					go func() {
						key := fmt.Sprint(i)
						for range 5 {
							_, _ = c.put(key, name, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
							_, _ = c.get(key, nil)
							_, _ = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key})
						}
					}()
				}
			}
			time.Sleep(10 * time.Hour)
			for _, e := range store.History() {
				log = append(log, e.String())
			}
		})
		return log
	}
	one, again, other := play(1), play(1), play(2)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("the same seed (-one +again):\n%s", diff)
	}
	if cmp.Equal(one, other) {
		t.Error("two seeds have the same history")
	}
	if len(one) < 180 {
		t.Errorf("%d events", len(one))
	}
}

// A lying store answers as if nothing were wrong.
func TestLies(t *testing.T) {
	t.Parallel()
	for lie, want := range map[s3test.Lie]string{
		s3test.Honest: "first=1 second=22", s3test.Blind: "first=1 second=22", s3test.Lose: "first=1",
		s3test.Alter: "first=1 second=23", s3test.Truncate: "first=1 second=2",
	} {
		t.Run(string(lie), func(t *testing.T) {
			t.Parallel()
			store := &s3test.Store{}
			store.Lie = func(c s3test.Call) s3test.Lie {
				if c.Key == "second" {
					return lie
				}
				return s3test.Honest
			}
			c := client{t, (&s3test.Network{Store: store}).S3()}
			for _, o := range []struct{ key, data string }{{"first", "1"}, {"second", "22"}} {
				if _, err := c.put(o.key, o.data, nil); err != nil {
					t.Error(err)
				}
			}
			var got []string
			for _, key := range []string{"first", "second"} {
				if data, ok := store.Objects()[key]; ok {
					got = append(got, key+"="+string(data))
				}
			}
			if text := strings.Join(got, " "); text != want {
				t.Errorf("holds %s, want %s", text, want)
			}
			_, err := c.put("second", "x", func(in *s3.PutObjectInput) { in.IfMatch = aws.String(`"0"`) })
			switch {
			case lie == s3test.Blind && err != nil:
				t.Errorf("blind: %v", err)
			case lie != s3test.Blind && lie != s3test.Lose:
				wantStatus(t, err, http.StatusPreconditionFailed)
			}
		})
	}
}

func TestSpoil(t *testing.T) {
	t.Parallel()
	store := &s3test.Store{}
	store.Put("k", []byte("right"))
	c := client{t, (&s3test.Network{Store: store}).S3()}
	etag, err := c.put("k", "right", nil)
	if err != nil {
		t.Fatal(err)
	}
	store.Spoil("k", []byte("wrong"))
	if got, err := c.get("k", func(in *s3.GetObjectInput) { in.IfMatch = &etag }); got != "wrong" || err != nil {
		t.Errorf("reads %q, %v", got, err)
	}
	if was, ok := store.Body(strings.Trim(etag, `"`)); !ok || string(was) != "right" {
		t.Errorf("the body was %q, %v", was, ok)
	}
	store.Spoil("k", nil)
	if len(store.Objects()) != 0 || len(store.History()) != 3 {
		t.Errorf("holds %v after %v", store.Objects(), store.History())
	}
}
