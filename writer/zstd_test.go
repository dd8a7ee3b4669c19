package writer

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"golang.org/x/sync/errgroup"
)

// TestEncoderHasNoMemory: the encoder that all files share gives what a new
// one gives, whatever went through it before and beside.
func TestEncoderHasNoMemory(t *testing.T) {
	t.Parallel()
	codec, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var pages [][]byte
	for n := range 12 {
		page := []byte(strings.Repeat("conversation", n*500))
		for range n * 3000 {
			page = append(page, "0123456789abcdef"[r.IntN(16)])
		}
		pages = append(pages, page)
	}
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for _, page := range pages {
				fresh, err := newZstdEncoder()
				if err != nil {
					return err
				}
				got := codec.EncodeLevel(nil, page, compressionLevel)
				if !bytes.Equal(got, fresh.EncodeAll(page, nil)) {
					t.Errorf("page of %d bytes: other bytes than a new encoder's", len(page))
				}
				if back := codec.Decode(make([]byte, len(page)), got); !bytes.Equal(back, page) {
					t.Errorf("page of %d bytes: does not come back", len(page))
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}
