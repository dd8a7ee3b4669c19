package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// upload is an object that comes in parts.
type upload struct {
	key   string
	parts map[int][]byte
}

const minPart = 5 << 20 // bytes of every part but the last

// multipart answers the calls of an upload in parts.
func (s *Store) multipart(r *http.Request, body []byte, e *Event) answer {
	if e.Op == StartUpload {
		s.started++
		id := strconv.Itoa(s.started)
		if s.uploads == nil {
			s.uploads = map[string]*upload{}
		}
		s.uploads[id] = &upload{key: e.Key, parts: map[int][]byte{}}
		return xmlAnswer(struct {
			XMLName       xml.Name `xml:"InitiateMultipartUploadResult"`
			Key, UploadId string
		}{Key: e.Key, UploadId: id})
	}
	id := r.URL.Query().Get("uploadId")
	u := s.uploads[id]
	if u == nil || u.key != e.Key {
		return refuse(http.StatusNotFound, "NoSuchUpload")
	}
	switch e.Op {
	case UploadPart:
		n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
		if err != nil || n < 1 {
			return refuse(http.StatusBadRequest, "InvalidArgument")
		}
		u.parts[n] = body
		return answer{status: http.StatusOK, header: map[string]string{"ETag": `"` + etagOf(body) + `"`}}
	case AbortUpload:
		delete(s.uploads, id)
		return answer{status: http.StatusNoContent}
	}
	return s.finish(r, body, id, e)
}

// finish joins the parts that the client names.
func (s *Store) finish(r *http.Request, body []byte, id string, e *Event) answer {
	var order struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(body, &order); err != nil || len(order.Part) == 0 {
		return refuse(http.StatusBadRequest, "MalformedXML")
	}
	if a, ok := s.condition(r, e); !ok {
		return a
	}
	var whole bytes.Buffer
	sums := md5.New()
	for i, p := range order.Part {
		part, ok := s.uploads[id].parts[p.PartNumber]
		if !ok || unquote(p.ETag) != etagOf(part) || i > 0 && p.PartNumber <= order.Part[i-1].PartNumber {
			return refuse(http.StatusBadRequest, "InvalidPart")
		}
		if len(part) < minPart && i < len(order.Part)-1 {
			return refuse(http.StatusBadRequest, "EntityTooSmall")
		}
		sum := md5.Sum(part)
		sums.Write(sum[:])
		whole.Write(part)
	}
	etag := fmt.Sprintf("%s-%d", hex.EncodeToString(sums.Sum(nil)), len(order.Part))
	e.After = s.set(e.Key, whole.Bytes(), etag)
	delete(s.uploads, id)
	return xmlAnswer(struct {
		XMLName   xml.Name `xml:"CompleteMultipartUploadResult"`
		Key, ETag string
	}{Key: e.Key, ETag: `"` + etag + `"`})
}

// Uploads are the keys of the uploads that were neither finished nor given up.
func (s *Store) Uploads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, u := range s.uploads {
		keys = append(keys, u.key)
	}
	slices.Sort(keys)
	return keys
}
