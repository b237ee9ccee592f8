package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

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
	if u.Scheme == "s3" && !q.Has("response_checksum_validation") {
		// Each segment is authenticated; and of an object in parts the SDK would
		// write to standard error that it can't check the sum of the whole.
		q.Set("response_checksum_validation", "when_required")
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
	switch code, status := gcerrors.Code(err), httpStatus(err); {
	// Google's 403 counts as not found there, and most of Azure's and S3's as
	// unknown.
	case code == gcerrors.PermissionDenied || status == http.StatusForbidden || status == http.StatusUnauthorized:
		return errs.Wrap(errs.Unavailable, err, "The bucket %s refuses these credentials: they are wrong, have expired, or lack a right. They need to read, write, list and delete objects there.", k.name)
	case code == gcerrors.NotFound:
		return errs.Wrap(errs.Unavailable, err, "There is no bucket %s. Make it, or mend the URL.", k.name)
	case status != 0:
		word := ""
		if c := interface{ ErrorCode() string }(nil); errors.As(err, &c) {
			word = fmt.Sprintf(" (%s)", c.ErrorCode())
		}
		return errs.Wrap(errs.Unavailable, err, "The bucket %s answers with the status %d%s, and does not do what is asked of it.", k.name, status, word)
	}
	return errs.Wrap(errs.Unavailable, err, "The bucket %s does not do what is asked of it: %v.", k.name, err)
}

// saidOf is said for what is asked of one object, which may be gone while the
// bucket is there.
func (k *bucket) saidOf(ctx context.Context, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound && httpStatus(err) != http.StatusForbidden {
		switch there, failed := k.b.IsAccessible(ctx); {
		case failed != nil:
			return k.said(failed)
		case there:
			return gone(err)
		}
	}
	return k.said(err)
}

// httpStatus returns the status that the cloud answered with, 0 where it is not
// known.
func httpStatus(err error) int {
	var amazon interface{ HTTPStatusCode() int }
	var azure *azcore.ResponseError
	var google *googleapi.Error
	switch {
	case errors.As(err, &amazon):
		return amazon.HTTPStatusCode()
	case errors.As(err, &azure):
		return azure.StatusCode
	case errors.As(err, &google):
		return google.Code
	}
	return 0
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
		return nil, k.saidOf(ctx, err)
	}
	return &object{r, k}, nil
}

// object is what is read of a bucket: a reading that breaks off is classified
// too.
type object struct {
	*blob.Reader
	of *bucket
}

func (o *object) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.of.said(err)
	}
	return n, err
}

// WriteTo stands in the way of the reader's own, which would pass Read by.
func (o *object) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{o})
}

func (k *bucket) head(ctx context.Context, client, ref string, n int) ([]byte, error) {
	r, err := k.b.NewRangeReader(ctx, client+"/"+ref, 0, int64(n), nil)
	if err != nil {
		return nil, k.saidOf(ctx, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return b, k.said(err)
}

func (k *bucket) remove(ctx context.Context, client, ref string) error {
	err := k.saidOf(ctx, k.b.Delete(ctx, client+"/"+ref))
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
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
