package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/tidelock/tidelock/internal/errs"
)

// Output is a root output of a state.
type Output struct {
	Name      string          `json:"-"`
	Value     json.RawMessage `json:"value"`
	Type      json.RawMessage `json:"type"`
	Sensitive bool            `json:"sensitive,omitempty"`
}

// maxOutputs bounds the bytes of a state's outputs: they are held in memory.
const maxOutputs = 16 << 20

// rationed reads until its ration is used up.
type rationed struct {
	r    io.Reader
	left int64
}

var errRation = errs.New(errs.TooLarge, "The outputs of the state have more than %d bytes, and are not read one by one. Read the whole state.", maxOutputs)

func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errRation
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

// ParseOutputs reads the outputs of a state, and the state to its end: only
// then it is known to be whole. More than are held in memory are errs.TooLarge.
func ParseOutputs(body io.Reader) ([]Output, error) {
	_, all, err := parseOutputs(body)
	return all, err
}

// parseOutputs also returns the state's format, 0 where it tells none.
func parseOutputs(body io.Reader) (format int, all []Output, err error) {
	r := &rationed{body, math.MaxInt64}
	dec := json.NewDecoder(r)
	if _, err := dec.Token(); err != nil {
		return 0, nil, err
	}
	for seen := false; dec.More() && !(seen && format != 0); { // the rest has neither
		key, err := dec.Token()
		if err != nil {
			return 0, nil, err
		}
		switch key {
		case "version":
			err = dec.Decode(&format)
		case "outputs":
			r.left = maxOutputs
			all, err = decodeOutputs(dec)
			r.left, seen = math.MaxInt64, true
		default:
			err = SkipValue(dec)
		}
		if err != nil {
			return 0, nil, err
		}
	}
	_, err = io.Copy(io.Discard, body)
	return format, all, err
}

func decodeOutputs(dec *json.Decoder) ([]Output, error) {
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') { // null, where there are none
		return nil, err
	}
	var all []Output
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		o := Output{}
		o.Name, _ = key.(string) // a key of an object always is one
		if err := dec.Decode(&o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	_, err = dec.Token()
	return all, err
}

// ReadOutputs returns the version of a state that counts and, as a state of its
// own with the same lineage and serial, its outputs without any resource: what
// another project may know of it. What OpenTofu encrypted comes as it is, since
// nobody here can take it apart. The error is errs.NotFound where there is no
// state yet, errs.TooLarge for outputs that are not held in memory.
func (s *Store) ReadOutputs(ctx context.Context, client, name string) (Version, []byte, error) {
	v, content, err := s.Read(ctx, client, name)
	if err != nil {
		return v, nil, err
	}
	defer content.Close()
	if v.Encrypted {
		if v.Size > maxOutputs {
			return v, nil, errs.New(errs.TooLarge, "The state %s was encrypted by OpenTofu and has more than %d bytes: its outputs are not read from here.", name, maxOutputs)
		}
		text, err := io.ReadAll(content)
		return v, text, err
	}
	format, all, err := parseOutputs(content)
	if err != nil {
		return v, nil, fmt.Errorf("read the outputs of state %s: %w", name, err)
	}
	if format != 4 {
		return v, nil, errs.Wrap(errs.Conflict, errFormat, "The outputs of the state %s can't be read: it is not of format 4. An apply with Terraform 0.12 or later writes that.", name)
	}
	outputs := map[string]Output{}
	for _, o := range all {
		outputs[o.Name] = o
	}
	var text bytes.Buffer
	err = json.NewEncoder(&text).Encode(map[string]any{
		"version": format, "terraform_version": v.TerraformVersion, "serial": v.Serial, "lineage": v.Lineage, "outputs": outputs, "resources": []any{},
	})
	return v, text.Bytes(), err
}
