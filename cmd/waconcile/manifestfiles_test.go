package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const manifestsDir = "../../k8s"

// manifestPlaces are the kustomizations that can be applied, relative to
// manifestsDir.
func manifestPlaces(t *testing.T) []string {
	t.Helper()
	places := []string{"base"}
	for _, dir := range kustomizations(t) {
		if strings.HasPrefix(dir, "overlays/") {
			places = append(places, dir)
		}
	}
	if len(places) < 3 {
		t.Fatalf("kustomizations are %q, want a base and overlays", places)
	}
	return places
}

// kustomizations are the directories below manifestsDir with a
// kustomization.yaml.
func kustomizations(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, name := range yamlFiles(t) {
		if path.Base(name) == "kustomization.yaml" {
			dirs = append(dirs, path.Dir(name))
		}
	}
	return dirs
}

// yamlFiles are the YAML and JSON files below manifestsDir but for test data.
func yamlFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(manifestsDir, func(name string, d os.DirEntry, err error) error {
		switch ext := path.Ext(name); {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case ext == ".yaml" || ext == ".yml":
			relative, err := filepath.Rel(manifestsDir, name)
			names = append(names, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestManifestFiles wants every YAML file to be one that a kustomization
// names, and every kustomization to be free of unknown fields.
func TestManifestFiles(t *testing.T) {
	t.Parallel()
	var want []string
	for _, dir := range kustomizations(t) {
		data, err := os.ReadFile(filepath.Join(manifestsDir, dir, "kustomization.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var k types.Kustomization
		if err := yaml.UnmarshalStrict(data, &k); err != nil {
			t.Errorf("%s/kustomization.yaml: %v", dir, err)
		}
		want = append(want, dir+"/kustomization.yaml")
		for _, name := range namedBy(k) {
			if ext := path.Ext(name); ext == ".yaml" || ext == ".yml" {
				want = append(want, path.Join(dir, name))
			}
		}
	}
	slices.Sort(want)
	got := yamlFiles(t)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("YAML files of the folder (-named by kustomizations +there):\n%s", diff)
	}
}

// namedBy are the files that a kustomization reads.
func namedBy(k types.Kustomization) []string {
	names := slices.Clone(k.Resources)
	for _, p := range k.Patches {
		names = append(names, p.Path)
	}
	for _, g := range k.ConfigMapGenerator {
		for _, source := range g.FileSources {
			_, file, found := strings.Cut(source, "=")
			if !found {
				file = source
			}
			names = append(names, file)
		}
	}
	return names
}

// render gives the resources of a kustomization as kubectl apply -k sends
// them, parsed as the API server does with strict field validation: unknown
// and doubled fields are errors.
func render(t *testing.T, place string) []runtime.Object {
	t.Helper()
	return decodeStrictly(t, build(t, place))
}

// build renders a kustomization to YAML, with components laid over it.
func build(t *testing.T, place string, components ...string) [][]byte {
	t.Helper()
	return buildText(t, fmt.Sprintf("resources: [../%s]\ncomponents: [%s]\n", place, strings.Join(components, ", ")))
}

// buildText renders a kustomization that lies in a directory beside the base.
func buildText(t *testing.T, k string) [][]byte {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	if err := disk.MkdirAll("/k8s/rendered"); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(manifestsDir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(manifestsDir, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return disk.WriteFile("/k8s/"+filepath.ToSlash(relative), data)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile("/k8s/rendered/kustomization.yaml", []byte(k)); err != nil {
		t.Fatal(err)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, "/k8s/rendered")
	if err != nil {
		t.Fatalf("%s: %v", k, err)
	}
	var documents [][]byte
	for _, r := range resources.Resources() {
		document, err := r.AsYAML()
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		documents = append(documents, document)
	}
	return documents
}

func decodeStrictly(t *testing.T, documents [][]byte) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, document := range documents {
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects
}

// TestManifestComponents renders each component over each overlay: resources of
// its own are added, and what else it says changes those that are there. What it
// adds may be of kinds that only some clusters know.
func TestManifestComponents(t *testing.T) {
	t.Parallel()
	for _, dir := range kustomizations(t) {
		if !strings.HasPrefix(dir, "components/") {
			continue
		}
		for _, place := range manifestPlaces(t) {
			plain, with := build(t, place), build(t, place, "../"+dir)
			if added := len(with) - len(plain); added != ownResources(t, dir) {
				t.Errorf("%s over %s: %d resources are added to %d", dir, place, added, len(plain))
			}
			if slices.EqualFunc(plain, with, bytes.Equal) {
				t.Errorf("%s over %s changes nothing", dir, place)
			}
		}
	}
}

// ownResources is how many resources a component brings: one in each file, and
// one of each generator.
func ownResources(t *testing.T, dir string) int {
	t.Helper()
	var k types.Kustomization
	readStrict(t, filepath.Join(manifestsDir, dir, "kustomization.yaml"), &k)
	return len(k.Resources) + len(k.ConfigMapGenerator)
}
