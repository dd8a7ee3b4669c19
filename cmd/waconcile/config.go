package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/pflag"
)

// configFile is a configuration file: one YAML mapping from settings to
// values. Relative places in it are relative to the file's directory, so that
// a file means the same wherever the command is started.
type configFile struct {
	path    string
	entries map[string]ast.Node // by flag name
}

// configBytesMax bounds a configuration file.
const configBytesMax = 1 << 20

// readConfig reads the file at path; without a path there is no file. The
// values stay text until a flag takes them, so that 0.0010 is what was
// written and not what a float made of it.
func readConfig(path string) (*configFile, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: read configuration: %w", errUsage, err)
	}
	if len(data) > configBytesMax {
		return nil, fmt.Errorf("%w: read configuration %s: more than %d bytes", errUsage, path, configBytesMax)
	}
	doc, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, yamlError(path, err)
	}
	file := &configFile{path: path, entries: map[string]ast.Node{}}
	_, known := newSettings()
	for _, value := range topLevel(doc) {
		if err := file.add(known, value); err != nil {
			return nil, err
		}
	}
	return file, file.onlyMappings(doc)
}

// topLevel gives the settings of all documents of a file.
func topLevel(doc *ast.File) []*ast.MappingValueNode {
	var values []*ast.MappingValueNode
	for _, d := range doc.Docs {
		if m, ok := d.Body.(*ast.MappingNode); ok {
			values = append(values, m.Values...)
		}
	}
	return values
}

func (c *configFile) onlyMappings(doc *ast.File) error {
	for _, d := range doc.Docs {
		switch body := d.Body.(type) {
		case nil, *ast.MappingNode, *ast.CommentGroupNode, *ast.NullNode:
		default:
			return c.errorAt(body, "a configuration is a list of lines such as period: 2024-07")
		}
	}
	return nil
}

func (c *configFile) add(known *pflag.FlagSet, value *ast.MappingValueNode) error {
	key := value.Key.GetToken().Value
	name := strings.ReplaceAll(key, "_", "-")
	switch {
	case known.Lookup(name) == nil || name == "config":
		return c.errorAt(value.Key, fmt.Sprintf("unknown setting %q", key))
	case c.entries[name] != nil:
		return c.errorAt(value.Key, fmt.Sprintf("setting %q stands here for the second time", key))
	}
	c.entries[name] = value.Value
	return nil
}

// set gives f its value from the file, if the file has one.
func (c *configFile) set(f *pflag.Flag) error {
	if c == nil || c.entries[f.Name] == nil {
		return nil
	}
	node := c.entries[f.Name]
	if err := c.setNode(f, node); err != nil {
		return c.errorAt(node, fmt.Sprintf("setting %q: %v", f.Name, err))
	}
	return nil
}

func (c *configFile) setNode(f *pflag.Flag, node ast.Node) error {
	switch n := node.(type) {
	case *ast.NullNode:
		return nil
	case *ast.SequenceNode:
		list, ok := f.Value.(pflag.SliceValue)
		if !ok {
			return errors.New("one value is expected, not a list")
		}
		items, err := scalars(n.Values)
		if err != nil {
			return err
		}
		return list.Replace(items)
	case *ast.MappingNode:
		if f.Value.Type() != "stringToString" {
			return errors.New("one value is expected, not a mapping")
		}
		return setMapping(f, n)
	}
	text, err := scalar(node)
	if err != nil {
		return err
	}
	if isPlace(f.Name) {
		text = c.resolve(text)
	}
	return f.Value.Set(text)
}

func setMapping(f *pflag.Flag, n *ast.MappingNode) error {
	pairs := make([]string, 0, len(n.Values))
	for _, v := range n.Values {
		text, err := scalar(v.Value)
		if err != nil {
			return err
		}
		pairs = append(pairs, v.Key.GetToken().Value+"="+text)
	}
	if len(pairs) == 0 {
		return nil
	}
	line, err := csvLine(pairs)
	if err != nil {
		return err
	}
	return f.Value.Set(line)
}

// resolve makes a relative place of the file one of the current directory.
func (c *configFile) resolve(place string) string {
	if place == "" || strings.Contains(place, "://") || meansBucket(place) || filepath.IsAbs(place) {
		return place
	}
	return filepath.Join(filepath.Dir(c.path), place)
}

func scalars(nodes []ast.Node) ([]string, error) {
	items := make([]string, 0, len(nodes))
	for _, n := range nodes {
		text, err := scalar(n)
		if err != nil {
			return nil, err
		}
		items = append(items, text)
	}
	return items, nil
}

func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", errors.New("a plain value is expected")
}

// errorAt is an error about a place of the file.
func (c *configFile) errorAt(node ast.Node, text string) error {
	return fmt.Errorf("%w: %s:%d: %s", errUsage, c.path, node.GetToken().Position.Line, text)
}

// yamlError puts a parser's error into one line.
func yamlError(path string, err error) error {
	if syntax, ok := errors.AsType[yaml.Error](err); ok && syntax.GetToken() != nil {
		return fmt.Errorf("%w: %s:%d: %s", errUsage, path, syntax.GetToken().Position.Line, syntax.GetMessage())
	}
	return fmt.Errorf("%w: %s: %s", errUsage, path, strings.Join(strings.Fields(err.Error()), " "))
}
