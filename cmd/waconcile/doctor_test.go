package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"waconcile/batch"
	"waconcile/reader"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/pflag"
)

// clientOf is a client of a store at an endpoint.
func clientOf(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer:     newRetryer(),
	})
}

// TestReach tells apart why a store does not answer.
func TestReach(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	plain := httptest.NewServer(status(http.StatusForbidden))
	t.Cleanup(plain.Close)
	bad := httptest.NewServer(status(http.StatusBadRequest))
	t.Cleanup(bad.Close)
	down := httptest.NewServer(status(http.StatusServiceUnavailable))
	t.Cleanup(down.Close)
	moved := httptest.NewServer(status(http.StatusMovedPermanently))
	t.Cleanup(moved.Close)
	unknown := httptest.NewUnstartedServer(status(http.StatusOK))
	unknown.Config.ErrorLog = nil
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, tt := range map[string]struct {
		endpoint string
		answer   time.Duration
		want     string // begin of what was found
		failed   bool
	}{
		"answers":           {plain.URL, time.Minute, "answers, with 403 to nobody", false},
		"another region":    {moved.URL, time.Minute, "answers, with 301 to nobody", false},
		"no S3":             {bad.URL, time.Minute, "answers 400 Bad Request", true},
		"down":              {down.URL, time.Minute, "answers 503 Service Unavailable", true},
		"no such name":      {"http://store.invalid", time.Minute, `DNS: "store.invalid" has no address: `, true},
		"refused":           {"http://127.0.0.1:1", time.Minute, "TCP: 127.0.0.1:1: ", true},
		"unknown authority": {unknown.URL, time.Minute, "TLS: x509: certificate signed by unknown authority", true},
		"no TLS":            {strings.Replace(plain.URL, "http:", "https:", 1), time.Minute, "TLS: http: server gave HTTP response to HTTPS client", true},
		"silent":            {"http://" + silent.Addr().String(), time.Nanosecond, "no answer within 1ns", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &doctor{answer: tt.answer}
			c := batch.Check{State: batch.CheckOK}
			var skew *time.Duration
			d.reach(t.Context(), &c, clientOf(tt.endpoint), &usedBucket{name: "bucket"}, &skew)
			if !strings.HasPrefix(c.Found, tt.want) || (c.State == batch.CheckFailed) != tt.failed {
				t.Errorf("%s: %s; want %s", c.State, c.Found, tt.want)
			}
			if tt.failed && (!errors.Is(c.Err, reader.ErrStore) || c.Next == "") {
				t.Errorf("error %v, what to do is %q", c.Err, c.Next)
			}
		})
	}
}

// The clock of the store is taken from whatever it answers.
func TestReachTellsTheClock(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusOK, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
			w.WriteHeader(code)
		}))
		t.Cleanup(server.Close)
		d := &doctor{answer: time.Minute}
		c := batch.Check{State: batch.CheckOK}
		var skew *time.Duration
		d.reach(t.Context(), &c, clientOf(server.URL), &usedBucket{name: "bucket"}, &skew)
		if skew == nil || *skew < 5*time.Minute || *skew > 15*time.Minute {
			t.Errorf("%d: the store's clock is ahead by %v", code, skew)
		}
	}
}

func TestTellSkew(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{
		0:                      "ok that of the store, give or take a minute",
		time.Minute:            "ok that of the store, give or take a minute",
		-time.Minute:           "ok that of the store, give or take a minute",
		90 * time.Second:       "warning 1m30s behind the store's",
		-3 * time.Minute:       "warning 3m0s ahead of the store's",
		365 * 24 * time.Hour:   "warning 8760h0m0s behind the store's",
		61*time.Second + 1e8:   "warning 1m1s behind the store's",
		-61*time.Second - 16e7: "warning 1m1s ahead of the store's",
	} {
		c := batch.Check{State: batch.CheckOK}
		tellSkew(&c, ahead)
		if got := fmt.Sprintf("%s %s", c.State, c.Found); got != want {
			t.Errorf("%v: %s, want %s", ahead, got, want)
		}
	}
}

// TestEnter tells what a store says of credentials from what it says of
// permissions.
func TestEnter(t *testing.T) {
	t.Parallel()
	for code, next := range map[string]string{
		"AccessDenied":          "", // permissions: each place tells its own
		"NoSuchBucket":          "make the bucket, or correct --exports, --out",
		"InvalidAccessKeyId":    "correct the credentials",
		"SignatureDoesNotMatch": "correct the credentials",
		"ExpiredToken":          "take the credentials anew",
		"PermanentRedirect":     "set AWS_REGION to the region of the bucket",
		"RequestTimeTooSkewed":  "set the clock",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s3Error(w, http.StatusForbidden, code) }))
			t.Cleanup(server.Close)
			client := s3.New(clientOf(server.URL).Options(), func(o *s3.Options) { o.RetryMaxAttempts = 1 })
			d := &doctor{answer: time.Minute}
			c := batch.Check{State: batch.CheckOK}
			d.enter(t.Context(), &c, client, &usedBucket{name: "bucket", flags: []string{"exports", "out"}})
			if c.Next != next || (c.State == batch.CheckFailed) != (next != "") {
				t.Errorf("%s: %s; what to do is %q, want %q", c.State, c.Found, c.Next, next)
			}
			if next != "" && (c.Found != code+": by the test" || !errors.Is(c.Err, reader.ErrStore)) {
				t.Errorf("found %q, error %v", c.Found, c.Err)
			}
		})
	}
}

func TestTellRoom(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		room   room
		err    error
		needed int64
		rows   int64
		want   string
	}{
		"enough":         {room{free: 1 << 40}, nil, 1 << 20, 5000, "ok /tmp, with 1,024 GiB free; a run of 5,000 rows takes up to 1,024 KiB"},
		"just enough":    {room{free: 3 << 20}, nil, 3 << 20, 1, "ok /tmp, with 3 MiB free; a run of 1 row takes up to 3 MiB"},
		"too little":     {room{free: 3<<20 - 1}, nil, 3 << 20, 1, "warning /tmp, with 2 MiB free; a run of 1 row takes up to 3 MiB"},
		"in memory":      {room{free: 3 << 20, inMemory: true}, nil, 0, 0, "warning /tmp, with 3 MiB free; it is in memory"},
		"nothing known":  {room{}, errors.ErrUnsupported, 1, 1, "ok /tmp"},
		"no rows known":  {room{free: 100}, nil, 0, 0, "ok /tmp, with 100 bytes free"},
		"nothing at all": {room{}, nil, 8, 1, "warning /tmp, with 0 bytes free; a run of 1 row takes up to 8 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := batch.Check{State: batch.CheckOK}
			tellRoom(&c, "/tmp", tt.needed, tt.rows, func(string) (room, error) { return tt.room, tt.err })
			if got := fmt.Sprintf("%s %s", c.State, c.Found); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// README.md, what a run keeps: 8 bytes a message, with several passes 25 more,
// with results in a bucket 20.
func TestTemporaryRoom(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		passes   int
		toBucket bool
		want     int64
	}{{1, false, 8000}, {0, false, 8000}, {2, false, 33000}, {1, true, 28000}, {3, true, 53000}} {
		if got := temporaryRoom(1000, tt.passes, tt.toBucket); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

func TestSourceText(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"EnvConfigCredentials":                          "the environment",
		"SharedConfigCredentials: /home/a/.credentials": "/home/a/.credentials",
		"EC2RoleProvider":                               "the role of the machine",
		"WebIdentityCredentials":                        "a web identity token, as of a service account",
		"SomethingNew":                                  "SomethingNew",
	} {
		if got := sourceText(source); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// Every place that a flag names is known to doctor: one that is not would not
// be looked at.
func TestPlaceNames(t *testing.T) {
	t.Parallel()
	s, fs := newSettings()
	for _, flag := range placeNames() {
		if err := fs.Set(flag, "at-"+flag); err != nil {
			t.Fatal(err)
		}
		if got := s.place(flag); got != "at-"+flag || !isPlace(flag) {
			t.Errorf("--%s is %q, a place: %v", flag, got, isPlace(flag))
		}
	}
	places := 0
	fs.VisitAll(func(f *pflag.Flag) {
		if isPlace(f.Name) && f.Name != "metrics-file" { // a file of this machine, which no run reads
			places++
		}
	})
	if places != len(placeNames()) {
		t.Errorf("%d places, of %d", len(placeNames()), places)
	}
}
