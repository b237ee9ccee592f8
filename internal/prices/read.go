package prices

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Bounds of what is read.
const (
	maxList  = 64 << 30 // bytes of one list, unpacked
	maxPages = 100_000
	maxTries = 6 // of one page
	maxPause = 5 * time.Minute
	maxStall = 2 * time.Minute // without a byte of an answer
)

// Options say how lists are read. The zero ones read everything of a list.
type Options struct {
	Regions []string // only these; none: all
	Offers  []string // only these of the vendor's services; none: all
	// Currency is that of the prices that are taken; "" is USD. Only Azure sets
	// prices in others.
	Currency string
	Now      func() time.Time
	Client   *http.Client // nil: one that only reaches public addresses and the hosts that the lists name
	// Key is Google's API key. It is sent as a header to the list's own host.
	Key redact.Secret
	// Pause waits before a page is asked for again. nil: by the clock.
	Pause    func(ctx context.Context, d time.Duration) error
	Progress func(Progress) // called now and then, from the reading goroutine

	tick  func(seen, taken int)
	stall time.Duration // 0 is maxStall
}

// Progress tells how far the reading of a list is.
type Progress struct {
	List        string
	Bytes, Size int64 // Size is 0 where it isn't known; both as the list is packed
	Seen, Taken int
}

func (o Options) wanted(offer, region string) bool {
	return oneOf(o.Offers, offer) && oneOf(o.Regions, region)
}

func oneOf(all []string, one string) bool {
	for _, s := range all {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return len(all) == 0
}

// List is a price list, and where it is: at an address or in a file.
type List struct {
	Cloud string
	URL   string
	File  string
	// Whole says that the list has everything of the parts that it has
	// anything of, as AWS's files and questions of our own do.
	Whole bool
	// What it was asked for, where it is one of Lists: its service, its region
	// ("" for all) and its currency.
	Offer, Region, Currency string
}

// Name is where the list is, without what may be secret in an address.
func (l List) Name() string {
	if l.File != "" {
		return l.File
	}
	u, err := url.Parse(l.URL)
	if err != nil {
		return "an address that can't be read"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if f := u.Query().Get("$filter"); f != "" {
		return shown.String() + "?$filter=" + f
	}
	return shown.String()
}

// Reading is what a list held, and what proves which list it was.
type Reading struct {
	Result
	Source string // Name of the list
	SHA256 string // of its bytes as they came, all pages in their order
	Bytes  int64
	Pages  int
}

// Read reads a list to its end. It stores nothing.
func Read(ctx context.Context, l List, o Options) (Reading, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	r := &reading{list: l, o: o, sum: sha256.New()}
	r.o.tick = func(seen, taken int) {
		if o.Progress != nil {
			o.Progress(Progress{List: l.Name(), Bytes: r.bytes, Size: r.size, Seen: seen, Taken: taken})
		}
	}
	r.sink = newSink(l.Cloud, r.o)
	r.sink.whole = l.Whole
	if err := r.all(ctx); err != nil {
		return Reading{}, r.explain(ctx, err)
	}
	out := Reading{Result: r.sink.result(), Source: l.Name(), SHA256: hex.EncodeToString(r.sum.Sum(nil)), Bytes: r.bytes, Pages: r.pages}
	if out.AsOf == "" {
		out.AsOf = r.day.UTC().Format(time.DateOnly)
	}
	return out, nil
}

// reading is one list while it is read.
type reading struct {
	list  List
	o     Options
	sink  *sink
	sum   hash.Hash
	bytes int64
	size  int64
	pages int
	day   time.Time // of lists that don't say theirs: a file's time, or now
}

func (r *reading) all(ctx context.Context) error {
	switch r.list.Cloud {
	case AWS:
		return r.open(ctx, r.list.URL, func(in *bufio.Reader) error {
			if first, _ := in.Peek(1); len(first) == 1 && first[0] != '{' && first[0] != ' ' && first[0] != '\n' {
				return readAWSCSV(in, r.sink, r.o.Now())
			}
			return readAWSJSON(in, r.sink, r.o.Now())
		})
	case Azure:
		return r.everyPage(ctx, func(in io.Reader, at *url.URL) (string, error) {
			next, err := readAzure(in, r.sink, r.o.Now())
			if err != nil || next == "" || at == nil {
				return "", err
			}
			return next, nil
		})
	case GCP:
		g := &googleList{s: r.sink, parts: map[googlePart]googleParts{}}
		err := r.everyPage(ctx, func(in io.Reader, at *url.URL) (string, error) {
			token, err := g.read(in, r.o.Now())
			if err != nil || token == "" || at == nil {
				return "", err
			}
			next := *at
			q := next.Query()
			q.Set("pageToken", token)
			next.RawQuery = q.Encode()
			return next.String(), nil
		})
		if err != nil {
			return err
		}
		return g.finish()
	}
	return errs.New(errs.Invalid, "There is no price list of %q: it is aws, azure or gcp.", r.list.Cloud)
}

// everyPage reads a list page by page. read gets nil for the address of a file,
// which is one page.
func (r *reading) everyPage(ctx context.Context, read func(in io.Reader, at *url.URL) (next string, err error)) error {
	if r.list.File != "" {
		return r.open(ctx, "", func(in *bufio.Reader) error {
			_, err := read(in, nil)
			return err
		})
	}
	first, err := url.Parse(r.list.URL)
	if err != nil {
		return errs.New(errs.Invalid, "The address of the price list can't be read. It looks like https://HOST/PATH.")
	}
	seen := map[[sha256.Size]byte]bool{}
	for at := r.list.URL; at != ""; {
		u, err := url.Parse(at)
		if err != nil || u.Scheme != first.Scheme || hostPort(u) != hostPort(first) {
			return &syntaxError{Line: 1, What: "its next page is at another host"}
		}
		id := sha256.Sum256([]byte(at))
		if seen[id] || r.pages >= maxPages {
			return &syntaxError{Line: 1, What: "its pages go round in a circle, or are too many"}
		}
		seen[id] = true
		next := ""
		if err := r.open(ctx, at, func(in *bufio.Reader) error {
			next, err = read(in, u)
			return err
		}); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// open gives read the text of a file or page, unpacked.
func (r *reading) open(ctx context.Context, at string, read func(in *bufio.Reader) error) error {
	var raw io.ReadCloser
	if r.list.File != "" {
		f, err := os.Open(r.list.File)
		if err != nil {
			return errs.Wrap(errs.NotFound, err, "The file %s can't be read.", r.list.File)
		}
		info, err := f.Stat()
		if err != nil || info.IsDir() {
			_ = f.Close()
			return errs.New(errs.Invalid, "%s is no file.", r.list.File)
		}
		raw, r.size, r.day = f, info.Size(), info.ModTime()
	} else {
		// A host that falls silent in the middle would else hold the lane in
		// which lists are read for ever.
		heard, hangUp := context.WithCancelCause(ctx)
		defer hangUp(nil)
		answer, err := r.ask(heard, at)
		if err != nil {
			return err
		}
		wait := cmp.Or(r.o.stall, maxStall)
		timer := time.AfterFunc(wait, func() { hangUp(errSilent) })
		defer timer.Stop()
		raw, r.day = &patient{answer.Body, heard, timer, wait}, r.o.Now()
		if r.size = max(answer.ContentLength, 0); r.pages > 0 {
			r.size = 0 // of one page among many
		}
	}
	defer raw.Close()
	r.pages++
	counted := &counter{ctx: ctx, r: raw, into: r}
	in := bufio.NewReaderSize(counted, 1<<16)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = bufio.NewReaderSize(z, 1<<16)
	}
	limited := &limit{r: in, left: maxList}
	in = bufio.NewReaderSize(limited, 1<<16)
	return read(in)
}

var errSilent = errors.New("nothing more came")

// patient is an answer that is given up when it falls silent.
type patient struct {
	io.ReadCloser
	ctx   context.Context //nolint:containedctx // lives as long as one answer
	timer *time.Timer
	wait  time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if cause := context.Cause(p.ctx); err != nil && errors.Is(cause, errSilent) {
		return n, cause
	}
	p.timer.Reset(p.wait)
	return n, err
}

// limit fails beyond a list's bound, where io.LimitReader would only end.
type limit struct {
	r    io.Reader
	left int64
}

func (l *limit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errs.New(errs.TooLarge, "The price list has more than %d GB.", maxList>>30)
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// counter counts and sums what is read, and ends with the context.
type counter struct {
	ctx  context.Context //nolint:containedctx // lives as long as one read
	r    io.Reader
	into *reading
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.into.bytes += int64(n)
	_, _ = c.into.sum.Write(p[:n]) // a hash takes everything
	return n, err
}

// ask asks for an address, again where the host is busy.
func (r *reading) ask(ctx context.Context, at string) (*http.Response, error) {
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && egress.Loopback(u.Hostname())) {
		return nil, errs.New(errs.Invalid, "The address of the price list must begin with https:// and have a host.")
	}
	client := r.o.Client
	if client == nil {
		client = egress.New(egress.Options{Own: []string{u.Host}, Proxy: http.ProxyFromEnvironment}).Client()
	}
	// A redirect would take the key along to wherever it leads.
	keyed := *client
	keyed.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if hostPort(next.URL) != hostPort(u) && !r.o.Key.Empty() {
			return errors.New("it redirects to another host")
		}
		if client.CheckRedirect != nil {
			return client.CheckRedirect(next, via)
		}
		if len(via) >= 5 {
			return errors.New("it redirects more than five times")
		}
		return nil
	}
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return nil, errs.New(errs.Invalid, "The address of the price list can't be read.")
		}
		req.Header.Set("User-Agent", "tidelock-prices")
		if r.list.Cloud == GCP && !r.o.Key.Empty() {
			req.Header.Set("X-Goog-Api-Key", r.o.Key.Reveal())
		}
		answer, err := keyed.Do(req)
		wait := time.Second << (try - 1)
		if err == nil {
			if answer.StatusCode == http.StatusOK {
				return answer, nil
			}
			_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode < 500 {
				return nil, errs.New(errs.Unavailable, "%s answered %d. Look whether the address, the region and, at Google, the key are right.", u.Host, answer.StatusCode)
			}
			if asked, ok := retryAfter(answer.Header.Get("Retry-After"), r.o.Now()); ok {
				wait = asked
			}
			err = fmt.Errorf("status %d", answer.StatusCode)
		} else {
			var inner *url.Error
			if errors.As(err, &inner) {
				err = inner.Err // the address may hold a key
			}
			if errors.Is(err, egress.ErrPrivate) {
				return nil, errs.Wrap(errs.Forbidden, err, "%s is no public address.", u.Host)
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if try >= maxTries || wait > maxPause {
			return nil, errs.Wrap(errs.Unavailable, err, "%s does not answer; it was asked %d times. Try again later.", u.Host, try)
		}
		if err := r.o.Pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// retryAfter reads the header: seconds, or a time.
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// explain says where a list is wrong.
func (r *reading) explain(ctx context.Context, err error) error {
	var classified *errs.Error
	var syntax *syntaxError
	page := ""
	if r.pages > 1 {
		page = fmt.Sprintf("page %d, ", r.pages)
	}
	switch {
	case ctx.Err() != nil:
		return errs.Wrap(errs.Canceled, ctx.Err(), "The import was stopped. Nothing of %s was imported.", r.list.Name())
	case errors.As(err, &classified):
		return err
	case errors.Is(err, errSilent):
		return errs.Wrap(errs.Unavailable, err, "The price list %s stopped coming at %sbyte %d. Nothing of it was imported. Try again later.", r.list.Name(), page, r.bytes)
	case errors.As(err, &syntax):
		return errs.New(errs.Invalid, "The price list %s can't be used: %s%v. Nothing of it was imported.", r.list.Name(), page, syntax)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader):
		return errs.Wrap(errs.Invalid, err, "The price list %s is damaged or cut short at %sbyte %d. Nothing of it was imported.", r.list.Name(), page, r.bytes)
	}
	return errs.Wrap(errs.Unavailable, err, "The price list %s can't be read: at %sbyte %d. Nothing of it was imported.", r.list.Name(), page, r.bytes)
}
