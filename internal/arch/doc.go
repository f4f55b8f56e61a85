// Package arch holds the plan of the house and a test that keeps the code to it.
//
// The plan is the text in policy_test.go: floors from the ground up, and on them the packages. Imports run strictly
// downward. The test reads the imports of every Go file of the module, whatever its build tags, and prints for each
// import against the plan what to do about it. ARCHITECTURE.md tells what the floors are for.
//
// A failing test here is a question about the design, not a build to be fixed: change the code, or change the plan and
// ARCHITECTURE.md together and say why in the commit.
package arch
