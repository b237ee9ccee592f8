package tfe

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// resource is one thing in JSON:API.
type resource struct {
	ID            string         `json:"id,omitempty"`
	Type          string         `json:"type"`
	Attributes    map[string]any `json:"attributes,omitempty"`
	Relationships map[string]any `json:"relationships,omitempty"`
}

// related refers to another resource.
func related(kind, id string) map[string]any {
	return map[string]any{"data": resource{ID: id, Type: kind}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// send answers with a document: data is a resource, or several with meta.
func (c *call) send(code int, data, meta any) error {
	doc := map[string]any{"data": data}
	if meta != nil {
		doc["meta"] = meta
	}
	return write(c.w, code, doc)
}

func write(w http.ResponseWriter, code int, doc any) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // nobody is left to be told
	return nil
}

// page cuts what was asked for out of all, and says what there is besides.
func page[T any](c *call, all []T) ([]T, any, error) {
	number, size := 1, 20
	for _, p := range []struct {
		key  string
		to   *int
		most int
	}{{"page[number]", &number, 1 << 20}, {"page[size]", &size, 100}} {
		text := c.URL.Query().Get(p.key)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > p.most {
			return nil, nil, errs.New(errs.Invalid, "%s is a number from 1 to %d.", p.key, p.most)
		}
		*p.to = n
	}
	pages := max(1, (len(all)+size-1)/size)
	from := min((number-1)*size, len(all))
	part := all[from:min(from+size, len(all))]
	at := map[string]any{"current-page": number, "prev-page": nil, "next-page": nil, "total-count": len(all), "total-pages": pages}
	if number > 1 {
		at["prev-page"] = number - 1
	}
	if number < pages {
		at["next-page"] = number + 1
	}
	return part, map[string]any{"pagination": at}, nil
}

// Bounds of request bodies: of most, and of the announcement of a version,
// which carries outputs.
const (
	maxBody     = 1 << 20
	maxAnnounce = 32 << 20
)

// errMalformed marks a body that is not what the address takes.
var errMalformed = errors.New("malformed body")

// read decodes the request's body. One that is empty leaves to as it is.
func (c *call) read(to any, limit int64) error {
	body := http.MaxBytesReader(c.w, c.Body, limit)
	err := json.NewDecoder(body).Decode(to)
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &large):
		return errs.New(errs.TooLarge, "The request has more than %d bytes. Nothing was changed.", limit)
	case err != nil:
		return errs.Wrap(errs.Invalid, errors.Join(errMalformed, err), "The body is not the JSON that this address takes. Nothing was changed.")
	}
	// What follows the document is nobody's, and must not be without end.
	if _, err := io.Copy(io.Discard, body); errors.As(err, &large) {
		return errs.New(errs.TooLarge, "The request has more than %d bytes. Nothing was changed.", limit)
	}
	return nil
}
