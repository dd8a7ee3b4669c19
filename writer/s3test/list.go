package s3test

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listing is a page of ListObjectsV2.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Prefix                string
	EncodingType          string `xml:",omitempty"`
	KeyCount              int
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listed
}

type listed struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

const mostKeys = 1000 // on a page of S3

// list answers with the page of a view that the request asks for. A page goes
// on behind the key that its token names, so that pages of different views
// fit together.
func (s *Store) list(r *http.Request, view map[string]object) answer {
	q := r.URL.Query()
	token, err := base64.StdEncoding.DecodeString(q.Get("continuation-token"))
	if err != nil || q.Get("delimiter") != "" {
		return refuse(http.StatusBadRequest, "InvalidArgument")
	}
	most := cmp.Or(s.PageKeys, mostKeys)
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		most = min(n, most)
	}
	page := listing{Prefix: q.Get("prefix"), EncodingType: q.Get("encoding-type")}
	shown := func(key string) string { return key }
	if page.EncodingType == "url" {
		shown = url.QueryEscape
	}
	page.Prefix = shown(page.Prefix)
	last := ""
	for _, key := range slices.Sorted(maps.Keys(view)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= string(token) {
			continue
		}
		if page.KeyCount == most {
			page.IsTruncated = true
			page.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(last))
			break
		}
		o := view[key]
		page.KeyCount++
		last = key
		page.Contents = append(page.Contents, listed{
			Key: shown(key), ETag: `"` + o.etag + `"`, Size: len(o.data),
			LastModified: o.modified.UTC().Format(time.RFC3339),
		})
	}
	return xmlAnswer(page)
}
