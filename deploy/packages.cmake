# Debian packages of a build: `cpack --config BUILD/CPackConfig.cmake` (ci/package makes them and tries them out). lockstep: the
# node, its command line and its service; lockstep-sim: the simulator and the checker.
#
# A package puts things at fixed places, some of them outside any prefix: so all of it is apart from `cmake --install`.
set(deploy ${CMAKE_CURRENT_LIST_DIR})
set(made ${CMAKE_BINARY_DIR}/deploy)

function(install_packaged package)
  install(${ARGN} COMPONENT ${package} EXCLUDE_FROM_ALL)
endfunction()

# The reference of the API, of the comments in the .proto files.
file(GLOB api_protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/proto/lockstep/v1/*.proto)
file(MAKE_DIRECTORY ${made})
add_custom_command(OUTPUT ${made}/api.md DEPENDS ${api_protos} ${CMAKE_SOURCE_DIR}/ci/api_reference
                   COMMAND ${CMAKE_SOURCE_DIR}/ci/api_reference ${made}/api.md VERBATIM)
add_custom_target(lockstep_api_reference DEPENDS ${made}/api.md)
install_packaged(node CODE "execute_process(COMMAND \"${CMAKE_SOURCE_DIR}/ci/api_reference\" \"${made}/api.md\" COMMAND_ERROR_IS_FATAL ANY)")
install_packaged(node FILES ${made}/api.md DESTINATION /usr/share/doc/lockstep)
install_packaged(node FILES ${api_protos} DESTINATION /usr/share/lockstep/proto/lockstep/v1)

# The programs write their own settings file and completions.
install_packaged(node CODE "
  file(MAKE_DIRECTORY \"${made}\")
  function(make_of command file)
    execute_process(COMMAND \${command} \${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE \"#data-dir = \" \"data-dir = \" text \"\${text}\")
    file(WRITE \"${made}/\${file}\" \"\${text}\")
  endfunction()
  make_of($<TARGET_FILE:lockstepd> lockstepd.toml --generate-config)
  make_of($<TARGET_FILE:lockstep> lockstep.bash completion bash)
  make_of($<TARGET_FILE:lockstep> lockstep.zsh completion zsh)
")
install_packaged(node TARGETS lockstepd lockstep RUNTIME DESTINATION /usr/bin)
install_packaged(node FILES ${made}/lockstepd.toml DESTINATION /etc/lockstep)
install_packaged(node FILES ${made}/lockstep.bash DESTINATION /usr/share/bash-completion/completions RENAME lockstep)
install_packaged(node FILES ${made}/lockstep.zsh DESTINATION /usr/share/zsh/vendor-completions RENAME _lockstep)
install_packaged(node FILES ${deploy}/systemd/lockstepd.service DESTINATION /usr/lib/systemd/system)
install_packaged(node FILES ${deploy}/prometheus/alerts.yml ${deploy}/prometheus/prometheus.yml ${deploy}/grafana/lockstep.json
                 DESTINATION /usr/share/doc/lockstep/examples)
install_packaged(node FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION /usr/share/doc/lockstep)
foreach(page dashboard grpc http metrics operations security)
  install_packaged(node FILES ${CMAKE_SOURCE_DIR}/docs/${page}.md DESTINATION /usr/share/doc/lockstep/docs)
endforeach()
install_packaged(node FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION /usr/share/doc/lockstep RENAME copyright)

install_packaged(sim TARGETS lockstep-sim RUNTIME DESTINATION /usr/bin)
install_packaged(sim FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION /usr/share/doc/lockstep-sim RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lockstep)
set(CPACK_PACKAGE_CONTACT "Lockstep developers <developers@lockstep.invalid>")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL node sim)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_NODE_PACKAGE_NAME lockstep)
set(CPACK_DEBIAN_NODE_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_NODE_PACKAGE_CONTROL_EXTRA
    ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm ${deploy}/debian/conffiles)
set(CPACK_DEBIAN_NODE_DESCRIPTION "sharded, replicated key-value store
Raft groups, LevelDB tables, exactly-once sessions, linearizable reads, and
shards that move between groups while clients write. This is the node, with
its systemd service, and its command line.")
set(CPACK_DEBIAN_SIM_PACKAGE_NAME lockstep-sim)
set(CPACK_DEBIAN_SIM_DESCRIPTION "deterministic simulator of Lockstep, and linearizability checker
One seed decides a whole run of a cluster, with its crashes, torn writes,
partitions and lost messages. Also judges histories of key-value stores.")
include(CPack)
