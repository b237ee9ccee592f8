package tfplan

import "slices"

// A mask, as plans and states have them, says of a value which parts are
// unknown or sensitive: true covers all of it, an object or a list has a mask
// for each member that has something to say, and all else says nothing.

// MaskMember returns the mask of one member of an object: the whole mask where
// it covers all, nil where it says nothing of it.
func MaskMember(mask any, key string) any {
	switch m := mask.(type) {
	case bool:
		return m
	case map[string]any:
		return m[key]
	}
	return nil
}

// MaskElement is MaskMember for lists.
func MaskElement(mask any, i int) any {
	switch m := mask.(type) {
	case bool:
		return m
	case []any:
		if i >= 0 && i < len(m) {
			return m[i]
		}
	}
	return nil
}

// MaskCovers reports whether a mask covers the value or anything in it.
func MaskCovers(mask any) bool {
	switch m := mask.(type) {
	case bool:
		return m
	case map[string]any:
		for _, v := range m {
			if MaskCovers(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(m, MaskCovers)
	}
	return false
}
