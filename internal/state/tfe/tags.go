package tfe

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Bounds of tags.
const (
	maxTag  = 255 // bytes of a tag, a tag's value, a project's name
	maxTags = 100 // of a workspace
)

func control(r rune) bool { return r < ' ' || r == 0x7f }

// tag adds tags to the workspace. A comma separates tags in searches, so that
// none may have one.
func (w *workspace) tag(tags []tag) error {
	next := maps.Clone(w.tags)
	if next == nil {
		next = map[string]string{}
	}
	for _, t := range tags {
		key, value := t.key(), t.Attributes.Value
		if key == "" || len(key) > maxTag || len(value) > maxTag || strings.ContainsFunc(key+value, control) || strings.Contains(key, ",") {
			return errs.New(errs.Invalid, "A tag is text of at most %d bytes without commas.", maxTag)
		}
		next[key] = value
	}
	if len(next) > maxTags {
		return errs.New(errs.TooLarge, "A workspace has %d tags at most.", maxTags)
	}
	w.tags = next
	return nil
}

func (t tag) key() string {
	switch {
	case t.Attributes.Key != "":
		return t.Attributes.Key
	case t.Attributes.Name != "":
		return t.Attributes.Name
	}
	return strings.TrimPrefix(t.ID, "tag-")
}

type tags struct {
	Data []tag `json:"data"`
}

func (a *API) listTags(c *call) error {
	part, meta, err := page(c, slices.Sorted(maps.Keys(c.workspace.tags)))
	if err != nil {
		return err
	}
	list := []resource{}
	for _, key := range part {
		list = append(list, resource{ID: "tag-" + key, Type: "tags", Attributes: map[string]any{"name": key}})
	}
	return c.send(http.StatusOK, list, meta)
}

func (a *API) addTags(c *call) error {
	var in tags
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	if err := a.change(c, func(w *workspace) error { return w.tag(in.Data) }); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) removeTags(c *call) error {
	var in tags
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	err := a.change(c, func(w *workspace) error {
		w.tags = maps.Clone(w.tags)
		for _, t := range in.Data {
			delete(w.tags, t.key())
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) listTagBindings(c *call) error {
	kind := "tag-bindings"
	if strings.HasSuffix(c.URL.Path, "/effective-tag-bindings") {
		kind = "effective-tag-bindings" // nothing is inherited: the same
	}
	list := []resource{}
	for _, key := range slices.Sorted(maps.Keys(c.workspace.tags)) {
		list = append(list, resource{ID: "tb-" + key, Type: kind, Attributes: map[string]any{"key": key, "value": c.workspace.tags[key]}})
	}
	return c.send(http.StatusOK, list, nil)
}

func (a *API) addTagBindings(c *call) error {
	var in tags
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	if err := a.change(c, func(w *workspace) error { return w.tag(in.Data) }); err != nil {
		return err
	}
	return a.listTagBindings(c)
}
