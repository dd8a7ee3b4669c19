package metrics

import (
	"strings"
	"testing"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	for _, good := range []Labels{nil, {"schedule": "nightly"}, {"team_2": "Lucia's", "_x": "a/b"}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range []Labels{
		{"": "x"}, {"1st": "x"}, {"a-b": "x"}, {"a.b": "x"}, {"__name__": "x"}, {"schedule": ""}, {"schedule": "\xff"},
		{"job": "x"}, {"instance": "x"}, {"currency": "x"}, {"stage": "x"},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// No label that an operator may set is one that a series has.
func TestLabelsOfSeries(t *testing.T) {
	t.Parallel()
	families, err := published(5).gather(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, l := range f.Metric[0].Label {
			if err := (Labels{l.GetName(): "x"}).Validate(); err == nil {
				t.Errorf("label %s of %s can be set", l.GetName(), f.GetName())
			}
		}
	}
}

func TestCheckGateway(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"http://gateway:9091": true, "https://user:secret@host/prefix/": true,
		"gateway:9091": false, "http://": false, "ftp://gateway": false, "": false, "http://[": false,
		"http://gateway:9091/?token=opensesame": false, "http://gateway:9091?": false, "http://gateway:9091/#opensesame": false,
	} {
		if err := CheckGateway(text); (err == nil) != good || err != nil && strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
