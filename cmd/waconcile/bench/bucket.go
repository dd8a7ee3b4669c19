package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// What lies in the bucket, below its place.
const (
	bucketExports = "exports"
	bucketOut     = "out"
)

// transfers is how many files are sent or removed at a time.
const transfers = 4

// clearTimeout bounds the removal of what was sent, which is also done after
// the command was ended.
const clearTimeout = time.Minute

// upload sends the exports of a set.
func (b *Bucket) upload(ctx context.Context, set *Set) error {
	paths, err := filepath.Glob(filepath.Join(set.Exports(), "dt=*", "*.parquet"))
	if err != nil {
		return fmt.Errorf("list exports: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for _, path := range paths {
		key := bucketExports + "/" + filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		group.Go(func() error { return b.send(ctx, key, path) })
	}
	return group.Wait()
}

func (b *Bucket) send(ctx context.Context, key, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	to, err := b.Store.Create(ctx, key)
	if err != nil {
		return err
	}
	defer to.Abort()
	if _, err := io.Copy(to, f); err != nil {
		return err
	}
	return to.Commit(ctx)
}

// remove takes away all that lies below a prefix.
func (b *Bucket) remove(ctx context.Context, prefix string) error {
	objects, err := b.Store.List(ctx, prefix)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for _, o := range objects {
		group.Go(func() error { return b.Store.Remove(ctx, o.Key) })
	}
	return group.Wait()
}

// clear takes everything away. Where that fails the figures stand all the
// same, and somebody has to know what is left.
func (b *Bucket) clear(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if err := b.remove(ctx, ""); err != nil {
		log.WarnContext(ctx, "what was sent could not be removed", "place", b.Place, "error", err.Error())
	}
}
