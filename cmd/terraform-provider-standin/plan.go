package main

import (
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// planObject completes the plan that the framework proposes for one object:
// defaults become known, what the object already has is kept rather than
// unknown, and tags are merged with the provider's. It returns the paths whose
// change needs a new object. It has no effects; prior is null for a new object.
func planObject(rt resourceType, fam *family, set settings, config, prior, proposed tftypes.Value) (tftypes.Value, path.Paths, error) {
	p := planning{vars: set.vars, exists: !prior.IsNull() && !bare(prior)}
	attrs, err := p.object(rt.of, path.Empty(), config, prior, proposed)
	if err != nil {
		return tftypes.Value{}, nil, fmt.Errorf("planning %s: %w", rt.name, err)
	}
	if fam.tags != "" && attrs != nil {
		mergeTags(fam, set.tags, attrs)
	}
	return tftypes.NewValue(proposed.Type(), attrs), p.replace, nil
}

// bare says whether a state holds nothing but an id: what an import without a
// folder of objects knows. Such an object is filled in, never replaced.
func bare(state tftypes.Value) bool {
	for name, v := range attrsOf(state) {
		if name != "id" && !v.IsNull() && (!v.Type().Is(tftypes.List{}) && !v.Type().Is(tftypes.Set{}) || len(elemsOf(v)) > 0) {
			return false
		}
	}
	return true
}

type planning struct {
	vars    vars
	exists  bool // the object is there, and its state says what it is like
	replace path.Paths
}

// object plans the fields of one object, be it a resource or a block in it.
func (p *planning) object(fs fields, at path.Path, config, prior, proposed tftypes.Value) (map[string]tftypes.Value, error) {
	was, conf := attrsOf(prior), attrsOf(config)
	attrs := maps.Clone(attrsOf(proposed))
	for _, f := range fs {
		v, here := attrs[f.name], at.AtName(f.name)
		before, had := was[f.name]
		c, configured := conf[f.name]
		unset := !configured || c.IsNull()
		switch {
		case f.kind == kindBlockList && v.IsKnown() && !v.IsNull():
			elems, olds, confs := elemsOf(v), elemsOf(before), elemsOf(c)
			for i, e := range elems {
				old, con := tftypes.NewValue(e.Type(), nil), tftypes.NewValue(e.Type(), nil)
				if i < len(olds) {
					old = olds[i]
				}
				if i < len(confs) {
					con = confs[i]
				}
				if !e.IsKnown() || e.IsNull() {
					continue
				}
				m, err := p.object(f.of, here.AtListIndex(i), con, old, e)
				if err != nil {
					return nil, err
				}
				elems[i] = tftypes.NewValue(e.Type(), m)
			}
			v = tftypes.NewValue(v.Type(), elems)
		case unset && f.hasPlanned:
			var err error
			if v, err = parseValue(f, v.Type(), expand(f.planned, p.vars)); err != nil {
				return nil, err
			}
		case unset && f.hasFill && !v.IsKnown() && had && !before.IsNull():
			v = before
		}
		attrs[f.name] = v
		undecided := unset && !v.IsKnown() // the provider's own choice, not made yet
		if f.replaces && p.exists && had && !undecided && !v.Equal(before) {
			p.replace = append(p.replace, here)
		}
	}
	return attrs, nil
}

// mergeTags sets the attributes that show an object's own tags together with
// the provider's defaults, own tags first. Where there are none at all they
// stay as they were proposed.
func mergeTags(fam *family, defaults map[string]string, attrs map[string]tftypes.Value) {
	own, tagged := attrs[fam.tags]
	if !tagged {
		return
	}
	var all any // null of a type means unknown here
	if own.IsKnown() {
		m := make(map[string]tftypes.Value, len(defaults))
		for k, v := range defaults {
			m[k] = tftypes.NewValue(tftypes.String, v)
		}
		for k, v := range attrsOf(own) {
			m[k] = v
		}
		if len(m) == 0 && own.IsNull() {
			return
		}
		all = m
	} else {
		all = tftypes.UnknownValue
	}
	for _, name := range fam.merged {
		attrs[name] = tftypes.NewValue(attrs[name].Type(), all)
	}
}

// identify gives a new object its id. Names that the id speaks of and that
// nobody chose are made up first.
func identify(rt resourceType, v vars, planned tftypes.Value) (id string, named tftypes.Value, err error) {
	own := maps.Clone(v)
	own.add(planned)
	attrs := attrsOf(planned)
	for _, name := range templateNames(rt.id) {
		f, ok := rt.of.byName(name)
		if !ok || attrs[name].IsKnown() {
			continue
		}
		own[name] = expand(f.fill, own)
		if attrs[name], err = parseValue(f, attrs[name].Type(), own[name]); err != nil {
			return "", tftypes.Value{}, err
		}
	}
	return expand(rt.id, own), tftypes.NewValue(planned.Type(), attrs), nil
}

// finish gives every value that is still unknown what its template says: the
// object exists now. id is what it is called.
func finish(rt resourceType, v vars, id string, planned tftypes.Value) (tftypes.Value, error) {
	own := maps.Clone(v)
	own.add(planned)
	own["id"] = id
	attrs, err := fill(rt.of, own, planned)
	if err != nil {
		return tftypes.Value{}, fmt.Errorf("making %s: %w", rt.name, err)
	}
	return tftypes.NewValue(planned.Type(), attrs), nil
}

func fill(fs fields, v vars, object tftypes.Value) (map[string]tftypes.Value, error) {
	attrs := maps.Clone(attrsOf(object))
	for _, f := range fs {
		val := attrs[f.name]
		switch {
		case !val.IsKnown() && f.name == "id" && v["id"] != "":
			val = tftypes.NewValue(tftypes.String, v["id"])
		case !val.IsKnown() && f.hasFill:
			text := expand(f.fill, v)
			var err error
			if val, err = parseValue(f, val.Type(), text); err != nil {
				return nil, err
			}
			v[f.name] = text
		case !val.IsKnown():
			return nil, fmt.Errorf("%s is unknown and has no template", f.name)
		case f.kind == kindBlockList && !val.IsNull():
			elems := elemsOf(val)
			for i, e := range elems {
				inner := maps.Clone(v)
				inner.add(e)
				m, err := fill(f.of, inner, e)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", f.name, err)
				}
				elems[i] = tftypes.NewValue(e.Type(), m)
			}
			val = tftypes.NewValue(val.Type(), elems)
		}
		attrs[f.name] = val
	}
	return attrs, nil
}

// add makes an object's own simple attributes known to templates.
func (v vars) add(object tftypes.Value) {
	for name, a := range attrsOf(object) {
		if a.IsNull() || !a.IsKnown() {
			continue
		}
		switch x := plain(a).(type) {
		case string:
			v[name] = x
		case fmt.Stringer: // a number
			v[name] = x.String()
		case bool:
			v[name] = fmt.Sprint(x)
		}
	}
}
