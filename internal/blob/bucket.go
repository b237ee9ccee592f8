package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
	"gocloud.dev/gcerrors"

	"github.com/tidelock/tidelock/internal/errs"
)

// bucket is a shelf in S3, Google Cloud Storage or Azure Blob Storage: an object
// CLIENT/REFERENCE of each blob. The clouds answer a write when the object is
// durable and whole, and show it to every reader from then on.
type bucket struct {
	b    *blob.Bucket
	name string
}

// partSize is how much of an upload is in memory at once, twice: the least that
// S3 takes as a part.
const partSize = 5 << 20

var schemes = []string{"s3", "gs", "azblob"}

// CheckURL reports what is wrong with a bucket's URL, as the end of a sentence
// that begins with its name; "" where nothing is.
func CheckURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "":
		return "must be a bucket's URL, such as s3://my-bucket?region=eu-central-1, gs://my-bucket or azblob://my-container."
	case u.User != nil:
		return "holds credentials. They come from the environment, or from where the cloud's own programs take them."
	case strings.Trim(u.Path, "/") != "":
		return fmt.Sprintf("has a path; for a part of the bucket write prefix=%s/ behind the question mark.", strings.Trim(u.Path, "/"))
	}
	return ""
}

func openBucket(ctx context.Context, text string) (shelf, error) {
	if wrong := CheckURL(text); wrong != "" {
		return nil, errs.New(errs.Invalid, "The URL of the blob store %s", wrong)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err // CheckURL parsed it
	}
	q := u.Query()
	if u.Scheme == "s3" && q.Get("endpoint") != "" && q.Get("use_path_style") == "" && q.Get("s3ForcePathStyle") == "" {
		// Servers of one's own seldom have a name for each bucket.
		q.Set("use_path_style", "true")
	}
	u.RawQuery = q.Encode()
	b, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, fmt.Errorf("open bucket: %w", err), "The bucket %s of the blob store can't be opened: %v.", shown(u), err)
	}
	return &bucket{b, shown(u)}, nil
}

// shown is the URL without its options.
func shown(u *url.URL) string {
	name := u.Scheme + "://" + u.Host
	if p := u.Query().Get("prefix"); p != "" {
		name += "/" + strings.TrimSuffix(p, "/")
	}
	return name
}

func (k *bucket) close() error  { return k.b.Close() }
func (k *bucket) where() string { return k.name }

// said gives an error of the cloud its kind.
func (k *bucket) said(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return gone(err)
	case gcerrors.PermissionDenied:
		return errs.Wrap(errs.Unavailable, err, "The bucket %s refuses these credentials. They need to read, write, list and delete objects there.", k.name)
	}
	return errs.Wrap(errs.Unavailable, err, "The bucket %s does not do what is asked of it: %v.", k.name, err)
}

// write hands the bucket a reader rather than writing to it: the writer of
// gocloud.dev v0.47 for Azure panics where an upload fails.
func (k *bucket) write(ctx context.Context, client, ref string, fill func(io.Writer) error) error {
	// An upload whose context ends before its last byte leaves nothing behind.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	var filled error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if filled != nil {
				cancel()
			}
			_ = w.CloseWithError(filled) // nil is the end
		}()
		filled = errAborted // until fill returns: it may panic
		filled = fill(w)
	}()
	err := k.b.Upload(ctx, client+"/"+ref, r, &blob.WriterOptions{BufferSize: partSize, MaxConcurrency: 2, ContentType: "application/octet-stream"})
	_ = r.CloseWithError(errRefused) // whoever still writes hears it
	<-done
	if filled != nil && !errors.Is(filled, errRefused) {
		return filled
	}
	return k.said(err)
}

var (
	errAborted = errors.New("the content ended before its end")
	errRefused = errors.New("the bucket takes no more")
)

func (k *bucket) read(ctx context.Context, client, ref string) (io.ReadCloser, error) {
	r, err := k.b.NewReader(ctx, client+"/"+ref, nil)
	if err != nil {
		return nil, k.said(err)
	}
	return r, nil
}

func (k *bucket) head(ctx context.Context, client, ref string, n int) ([]byte, error) {
	r, err := k.b.NewRangeReader(ctx, client+"/"+ref, 0, int64(n), nil)
	if err != nil {
		return nil, k.said(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return b, k.said(err)
}

func (k *bucket) remove(ctx context.Context, client, ref string) error {
	if err := k.b.Delete(ctx, client+"/"+ref); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return k.said(err)
	}
	return nil
}

func (k *bucket) list(ctx context.Context, client string, each func(Item) error) error {
	var o blob.ListOptions
	if client != "" {
		o.Prefix = client + "/"
	}
	for all := k.b.List(&o); ; {
		o, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return k.said(err)
		}
		client, ref, ok := strings.Cut(o.Key, "/")
		if !ok {
			continue
		}
		if err := each(Item{client, ref, o.Size, o.ModTime}); err != nil {
			return err
		}
	}
}
