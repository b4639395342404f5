// Included by every file in which a patch calls MutantReached() (ci/mutants): where its mistake
// makes a difference, so that "never reached" can be told from "not found".
#ifndef LOCKSTEP_TESTS_MUTANTS_REACHED_H_
#define LOCKSTEP_TESTS_MUTANTS_REACHED_H_

// Leaves a mark in the file that LOCKSTEP_MUTANT_REACHED names. Cheap after the first call.
void MutantReached();

#endif  // LOCKSTEP_TESTS_MUTANTS_REACHED_H_
