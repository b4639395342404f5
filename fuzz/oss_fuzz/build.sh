#!/usr/bin/env bash
# OSS-Fuzz runs this inside its builder image (Dockerfile beside it): builds every target into $OUT, with its corpus
# as NAME_seed_corpus.zip and, where there is one, its dictionary. $CXX, $CXXFLAGS and $LIB_FUZZING_ENGINE are
# OSS-Fuzz's: they bring the sanitizer and the fuzzing engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

: "${OUT:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
build=${WORK:-/tmp}/lockstep
# The sanitizer's flags are in CXXFLAGS already; the engine's counters too. The libraries are the distribution's, so the
# C++ library must be theirs.
CXXFLAGS=${CXXFLAGS:-}
CXXFLAGS=${CXXFLAGS//-stdlib=libc++/}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$CXXFLAGS" \
  -DLOCKSTEP_FUZZ=ON -DLOCKSTEP_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" -DLOCKSTEP_TESTS=ON
mapfile -t targets < <(find fuzz/targets -name '*.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)
cmake --build "$build" --target "${targets[@]/#/fuzz_}"

# Targets are run on images without our libraries: what they need goes beside them.
mkdir -p "$OUT/lib"
for target in "${targets[@]}"; do
  program="$OUT/fuzz_$target"
  cp "$build/fuzz/fuzz_$target" "$program"
  ldd "$program" | awk '$3 ~ /^\// && $1 !~ /^(libc|libm|libdl|librt|libpthread)\.so/ { print $3 }' |
    xargs -r cp -n -t "$OUT/lib"
  # RPATH, for RUNPATH would not hold for what the libraries themselves need.
  patchelf --force-rpath --set-rpath "\$ORIGIN/lib" "$program"
  (cd "fuzz/corpus/$target" && zip -q -r "${program}_seed_corpus.zip" .)
  [ ! -f "fuzz/dictionaries/$target.dict" ] || cp "fuzz/dictionaries/$target.dict" "$program.dict"
done
