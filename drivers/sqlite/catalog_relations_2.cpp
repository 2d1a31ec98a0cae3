// drivers/sqlite/catalog_relations_2.cpp: the relations of pg_catalog, O to Z.
//
// As PostgreSQL 15 declares them; domains of information_schema by what they are made of.
// clang-format off
#include "drivers/sqlite/catalog_data.hpp"

namespace sluice::sqlite {
namespace {

constexpr catalog_relation list[] = {
    {"pg_opclass", 2616, 'r',
     "oid oid,opcmethod oid,opcname name,opcnamespace oid,opcowner oid,opcfamily oid,"
     "opcintype oid,opcdefault bool,opckeytype oid"},
    {"pg_operator", 2617, 'r',
     "oid oid,oprname name,oprnamespace oid,oprowner oid,oprkind char,oprcanmerge bool,"
     "oprcanhash bool,oprleft oid,oprright oid,oprresult oid,oprcom oid,oprnegate oid,"
     "oprcode regproc,oprrest regproc,oprjoin regproc"},
    {"pg_opfamily", 2753, 'r',
     "oid oid,opfmethod oid,opfname name,opfnamespace oid,opfowner oid"},
    {"pg_partitioned_table", 3350, 'r',
     "partrelid oid,partstrat char,partnatts int2,partdefid oid,partattrs int2vector,"
     "partclass oidvector,partcollation oidvector,partexprs pg_node_tree"},
    {"pg_policies", 13205, 'v',
     "schemaname name,tablename name,policyname name,permissive text,roles _name,cmd text,"
     "qual text,with_check text"},
    {"pg_policy", 3256, 'r',
     "oid oid,polname name,polrelid oid,polcmd char,polpermissive bool,polroles _oid,"
     "polqual pg_node_tree,polwithcheck pg_node_tree"},
    {"pg_prepared_statements", 13206, 'v',
     "name text,statement text,prepare_time timestamptz,parameter_types _regtype,from_sql bool,"
     "generic_plans int8,custom_plans int8"},
    {"pg_prepared_xacts", 13207, 'v',
     "transaction xid,gid text,prepared timestamptz,owner name,database name"},
    {"pg_proc", 1255, 'r',
     "oid oid,proname name,pronamespace oid,proowner oid,prolang oid,procost float4,"
     "prorows float4,provariadic oid,prosupport regproc,prokind char,prosecdef bool,"
     "proleakproof bool,proisstrict bool,proretset bool,provolatile char,proparallel char,"
     "pronargs int2,pronargdefaults int2,prorettype oid,proargtypes oidvector,"
     "proallargtypes _oid,proargmodes _char,proargnames _text,proargdefaults pg_node_tree,"
     "protrftypes _oid,prosrc text,probin text,prosqlbody pg_node_tree,proconfig _text,"
     "proacl _aclitem"},
    {"pg_publication", 6104, 'r',
     "oid oid,pubname name,pubowner oid,puballtables bool,pubinsert bool,pubupdate bool,"
     "pubdelete bool,pubtruncate bool,pubviaroot bool"},
    {"pg_publication_namespace", 6237, 'r',
     "oid oid,pnpubid oid,pnnspid oid"},
    {"pg_publication_rel", 6106, 'r',
     "oid oid,prpubid oid,prrelid oid,prqual pg_node_tree,prattrs int2vector"},
    {"pg_publication_tables", 13208, 'v',
     "pubname name,schemaname name,tablename name,attnames _name,rowfilter text"},
    {"pg_range", 3541, 'r',
     "rngtypid oid,rngsubtype oid,rngmultitypid oid,rngcollation oid,rngsubopc oid,"
     "rngcanonical regproc,rngsubdiff regproc"},
    {"pg_replication_origin", 6000, 'r',
     "roident oid,roname text"},
    {"pg_replication_slots", 13209, 'v',
     "slot_name name,plugin name,slot_type text,datoid oid,database name,temporary bool,"
     "active bool,active_pid int4,xmin xid,catalog_xmin xid,restart_lsn pg_lsn,"
     "confirmed_flush_lsn pg_lsn,wal_status text,safe_wal_size int8,two_phase bool"},
    {"pg_rewrite", 2618, 'r',
     "oid oid,rulename name,ev_class oid,ev_type char,ev_enabled char,is_instead bool,"
     "ev_qual pg_node_tree,ev_action pg_node_tree"},
    {"pg_rules", 13210, 'v',
     "schemaname name,tablename name,rulename name,definition text"},
    {"pg_seclabel", 3596, 'r',
     "objoid oid,classoid oid,objsubid int4,provider text,label text"},
    {"pg_sequence", 2224, 'r',
     "seqrelid oid,seqtypid oid,seqstart int8,seqincrement int8,seqmax int8,seqmin int8,"
     "seqcache int8,seqcycle bool"},
    {"pg_sequences", 13211, 'v',
     "schemaname name,sequencename name,sequenceowner name,data_type regtype,start_value int8,"
     "min_value int8,max_value int8,increment_by int8,cycle bool,cache_size int8,last_value int8"},
    {"pg_shdepend", 1214, 'r',
     "dbid oid,classid oid,objid oid,objsubid int4,refclassid oid,refobjid oid,deptype char"},
    {"pg_shdescription", 2396, 'r',
     "objoid oid,classoid oid,description text"},
    {"pg_shseclabel", 3592, 'r',
     "objoid oid,classoid oid,provider text,label text"},
    {"pg_stat_all_indexes", 13212, 'v',
     "relid oid,indexrelid oid,schemaname name,relname name,indexrelname name,idx_scan int8,"
     "idx_tup_read int8,idx_tup_fetch int8"},
    {"pg_stat_all_tables", 13213, 'v',
     "relid oid,schemaname name,relname name,seq_scan int8,seq_tup_read int8,idx_scan int8,"
     "idx_tup_fetch int8,n_tup_ins int8,n_tup_upd int8,n_tup_del int8,n_tup_hot_upd int8,"
     "n_live_tup int8,n_dead_tup int8,n_mod_since_analyze int8,n_ins_since_vacuum int8,"
     "last_vacuum timestamptz,last_autovacuum timestamptz,last_analyze timestamptz,"
     "last_autoanalyze timestamptz,vacuum_count int8,autovacuum_count int8,analyze_count int8,"
     "autoanalyze_count int8"},
    {"pg_stat_database", 13214, 'v',
     "datid oid,datname name,numbackends int4,xact_commit int8,xact_rollback int8,blks_read int8,"
     "blks_hit int8,tup_returned int8,tup_fetched int8,tup_inserted int8,tup_updated int8,"
     "tup_deleted int8,conflicts int8,temp_files int8,temp_bytes int8,deadlocks int8,"
     "checksum_failures int8,checksum_last_failure timestamptz,blk_read_time float8,"
     "blk_write_time float8,session_time float8,active_time float8,"
     "idle_in_transaction_time float8,sessions int8,sessions_abandoned int8,sessions_fatal int8,"
     "sessions_killed int8,stats_reset timestamptz"},
    {"pg_stat_replication", 13215, 'v',
     "pid int4,usesysid oid,usename name,application_name text,client_addr inet,"
     "client_hostname text,client_port int4,backend_start timestamptz,backend_xmin xid,"
     "state text,sent_lsn pg_lsn,write_lsn pg_lsn,flush_lsn pg_lsn,replay_lsn pg_lsn,"
     "write_lag interval,flush_lag interval,replay_lag interval,sync_priority int4,"
     "sync_state text,reply_time timestamptz"},
    {"pg_stat_subscription", 13216, 'v',
     "subid oid,subname name,pid int4,relid oid,received_lsn pg_lsn,"
     "last_msg_send_time timestamptz,last_msg_receipt_time timestamptz,latest_end_lsn pg_lsn,"
     "latest_end_time timestamptz"},
    {"pg_stat_user_indexes", 13217, 'v',
     "relid oid,indexrelid oid,schemaname name,relname name,indexrelname name,idx_scan int8,"
     "idx_tup_read int8,idx_tup_fetch int8"},
    {"pg_stat_user_tables", 13218, 'v',
     "relid oid,schemaname name,relname name,seq_scan int8,seq_tup_read int8,idx_scan int8,"
     "idx_tup_fetch int8,n_tup_ins int8,n_tup_upd int8,n_tup_del int8,n_tup_hot_upd int8,"
     "n_live_tup int8,n_dead_tup int8,n_mod_since_analyze int8,n_ins_since_vacuum int8,"
     "last_vacuum timestamptz,last_autovacuum timestamptz,last_analyze timestamptz,"
     "last_autoanalyze timestamptz,vacuum_count int8,autovacuum_count int8,analyze_count int8,"
     "autoanalyze_count int8"},
    {"pg_statio_user_tables", 13219, 'v',
     "relid oid,schemaname name,relname name,heap_blks_read int8,heap_blks_hit int8,"
     "idx_blks_read int8,idx_blks_hit int8,toast_blks_read int8,toast_blks_hit int8,"
     "tidx_blks_read int8,tidx_blks_hit int8"},
    {"pg_statistic_ext", 3381, 'r',
     "oid oid,stxrelid oid,stxname name,stxnamespace oid,stxowner oid,stxstattarget int4,"
     "stxkeys int2vector,stxkind _char,stxexprs pg_node_tree"},
    {"pg_stats", 13220, 'v',
     "schemaname name,tablename name,attname name,inherited bool,null_frac float4,avg_width int4,"
     "n_distinct float4,most_common_vals anyarray,most_common_freqs _float4,"
     "histogram_bounds anyarray,correlation float4,most_common_elems anyarray,"
     "most_common_elem_freqs _float4,elem_count_histogram _float4"},
    {"pg_subscription", 6100, 'r',
     "oid oid,subdbid oid,subskiplsn pg_lsn,subname name,subowner oid,subenabled bool,"
     "subbinary bool,substream bool,subtwophasestate char,subdisableonerr bool,subconninfo text,"
     "subslotname name,subsynccommit text,subpublications _text"},
    {"pg_tables", 13221, 'v',
     "schemaname name,tablename name,tableowner name,tablespace name,hasindexes bool,"
     "hasrules bool,hastriggers bool,rowsecurity bool"},
    {"pg_tablespace", 1213, 'r',
     "oid oid,spcname name,spcowner oid,spcacl _aclitem,spcoptions _text"},
    {"pg_timezone_names", 13222, 'v',
     "name text,abbrev text,utc_offset interval,is_dst bool"},
    {"pg_transform", 3576, 'r',
     "oid oid,trftype oid,trflang oid,trffromsql regproc,trftosql regproc"},
    {"pg_trigger", 2620, 'r',
     "oid oid,tgrelid oid,tgparentid oid,tgname name,tgfoid oid,tgtype int2,tgenabled char,"
     "tgisinternal bool,tgconstrrelid oid,tgconstrindid oid,tgconstraint oid,tgdeferrable bool,"
     "tginitdeferred bool,tgnargs int2,tgattr int2vector,tgargs bytea,tgqual pg_node_tree,"
     "tgoldtable name,tgnewtable name"},
    {"pg_ts_config", 3602, 'r',
     "oid oid,cfgname name,cfgnamespace oid,cfgowner oid,cfgparser oid"},
    {"pg_ts_dict", 3600, 'r',
     "oid oid,dictname name,dictnamespace oid,dictowner oid,dicttemplate oid,dictinitoption text"},
    {"pg_ts_parser", 3601, 'r',
     "oid oid,prsname name,prsnamespace oid,prsstart regproc,prstoken regproc,prsend regproc,"
     "prsheadline regproc,prslextype regproc"},
    {"pg_ts_template", 3764, 'r',
     "oid oid,tmplname name,tmplnamespace oid,tmplinit regproc,tmpllexize regproc"},
    {"pg_type", 1247, 'r',
     "oid oid,typname name,typnamespace oid,typowner oid,typlen int2,typbyval bool,typtype char,"
     "typcategory char,typispreferred bool,typisdefined bool,typdelim char,typrelid oid,"
     "typsubscript regproc,typelem oid,typarray oid,typinput regproc,typoutput regproc,"
     "typreceive regproc,typsend regproc,typmodin regproc,typmodout regproc,typanalyze regproc,"
     "typalign char,typstorage char,typnotnull bool,typbasetype oid,typtypmod int4,typndims int4,"
     "typcollation oid,typdefaultbin pg_node_tree,typdefault text,typacl _aclitem"},
    {"pg_user_mapping", 1418, 'r',
     "oid oid,umuser oid,umserver oid,umoptions _text"},
    {"pg_user_mappings", 13223, 'v',
     "umid oid,srvid oid,srvname name,umuser oid,usename name,umoptions _text"},
    {"pg_views", 13224, 'v',
     "schemaname name,viewname name,viewowner name,definition text"},
};

}  // namespace

const std::span<const catalog_relation> catalog_relations_2 = list;

}  // namespace sluice::sqlite
