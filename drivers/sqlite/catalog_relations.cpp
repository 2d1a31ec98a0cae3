// drivers/sqlite/catalog_relations.cpp: the relations of pg_catalog, A to N.
//
// As PostgreSQL 15 declares them; domains of information_schema by what they are made of.
// clang-format off
#include "drivers/sqlite/catalog_data.hpp"

namespace sluice::sqlite {
namespace {

constexpr catalog_relation list[] = {
    {"pg_aggregate", 2600, 'r',
     "aggfnoid regproc,aggkind char,aggnumdirectargs int2,aggtransfn regproc,aggfinalfn regproc,"
     "aggcombinefn regproc,aggserialfn regproc,aggdeserialfn regproc,aggmtransfn regproc,"
     "aggminvtransfn regproc,aggmfinalfn regproc,aggfinalextra bool,aggmfinalextra bool,"
     "aggfinalmodify char,aggmfinalmodify char,aggsortop oid,aggtranstype oid,aggtransspace int4,"
     "aggmtranstype oid,aggmtransspace int4,agginitval text,aggminitval text"},
    {"pg_am", 2601, 'r',
     "oid oid,amname name,amhandler regproc,amtype char"},
    {"pg_amop", 2602, 'r',
     "oid oid,amopfamily oid,amoplefttype oid,amoprighttype oid,amopstrategy int2,"
     "amoppurpose char,amopopr oid,amopmethod oid,amopsortfamily oid"},
    {"pg_amproc", 2603, 'r',
     "oid oid,amprocfamily oid,amproclefttype oid,amprocrighttype oid,amprocnum int2,"
     "amproc regproc"},
    {"pg_attrdef", 2604, 'r',
     "oid oid,adrelid oid,adnum int2,adbin pg_node_tree"},
    {"pg_attribute", 1249, 'r',
     "attrelid oid,attname name,atttypid oid,attstattarget int4,attlen int2,attnum int2,"
     "attndims int4,attcacheoff int4,atttypmod int4,attbyval bool,attalign char,attstorage char,"
     "attcompression char,attnotnull bool,atthasdef bool,atthasmissing bool,attidentity char,"
     "attgenerated char,attisdropped bool,attislocal bool,attinhcount int4,attcollation oid,"
     "attacl _aclitem,attoptions _text,attfdwoptions _text,attmissingval anyarray"},
    {"pg_auth_members", 1261, 'r',
     "roleid oid,member oid,grantor oid,admin_option bool"},
    {"pg_available_extensions", 13200, 'v',
     "name name,default_version text,installed_version text,comment text"},
    {"pg_cast", 2605, 'r',
     "oid oid,castsource oid,casttarget oid,castfunc oid,castcontext char,castmethod char"},
    {"pg_class", 1259, 'r',
     "oid oid,relname name,relnamespace oid,reltype oid,reloftype oid,relowner oid,relam oid,"
     "relfilenode oid,reltablespace oid,relpages int4,reltuples float4,relallvisible int4,"
     "reltoastrelid oid,relhasindex bool,relisshared bool,relpersistence char,relkind char,"
     "relnatts int2,relchecks int2,relhasrules bool,relhastriggers bool,relhassubclass bool,"
     "relrowsecurity bool,relforcerowsecurity bool,relispopulated bool,relreplident char,"
     "relispartition bool,relrewrite oid,relfrozenxid xid,relminmxid xid,relacl _aclitem,"
     "reloptions _text,relpartbound pg_node_tree"},
    {"pg_collation", 3456, 'r',
     "oid oid,collname name,collnamespace oid,collowner oid,collprovider char,"
     "collisdeterministic bool,collencoding int4,collcollate text,collctype text,"
     "colliculocale text,collversion text"},
    {"pg_constraint", 2606, 'r',
     "oid oid,conname name,connamespace oid,contype char,condeferrable bool,condeferred bool,"
     "convalidated bool,conrelid oid,contypid oid,conindid oid,conparentid oid,confrelid oid,"
     "confupdtype char,confdeltype char,confmatchtype char,conislocal bool,coninhcount int4,"
     "connoinherit bool,conkey _int2,confkey _int2,conpfeqop _oid,conppeqop _oid,conffeqop _oid,"
     "confdelsetcols _int2,conexclop _oid,conbin pg_node_tree"},
    {"pg_conversion", 2607, 'r',
     "oid oid,conname name,connamespace oid,conowner oid,conforencoding int4,contoencoding int4,"
     "conproc regproc,condefault bool"},
    {"pg_cursors", 13201, 'v',
     "name text,statement text,is_holdable bool,is_binary bool,is_scrollable bool,"
     "creation_time timestamptz"},
    {"pg_database", 1262, 'r',
     "oid oid,datname name,datdba oid,encoding int4,datlocprovider char,datistemplate bool,"
     "datallowconn bool,datconnlimit int4,datfrozenxid xid,datminmxid xid,dattablespace oid,"
     "datcollate text,datctype text,daticulocale text,datcollversion text,datacl _aclitem"},
    {"pg_db_role_setting", 2964, 'r',
     "setdatabase oid,setrole oid,setconfig _text"},
    {"pg_default_acl", 826, 'r',
     "oid oid,defaclrole oid,defaclnamespace oid,defaclobjtype char,defaclacl _aclitem"},
    {"pg_depend", 2608, 'r',
     "classid oid,objid oid,objsubid int4,refclassid oid,refobjid oid,refobjsubid int4,"
     "deptype char"},
    {"pg_description", 2609, 'r',
     "objoid oid,classoid oid,objsubid int4,description text"},
    {"pg_enum", 3501, 'r',
     "oid oid,enumtypid oid,enumsortorder float4,enumlabel name"},
    {"pg_event_trigger", 3466, 'r',
     "oid oid,evtname name,evtevent name,evtowner oid,evtfoid oid,evtenabled char,evttags _text"},
    {"pg_extension", 3079, 'r',
     "oid oid,extname name,extowner oid,extnamespace oid,extrelocatable bool,extversion text,"
     "extconfig _oid,extcondition _text"},
    {"pg_foreign_data_wrapper", 2328, 'r',
     "oid oid,fdwname name,fdwowner oid,fdwhandler oid,fdwvalidator oid,fdwacl _aclitem,"
     "fdwoptions _text"},
    {"pg_foreign_server", 1417, 'r',
     "oid oid,srvname name,srvowner oid,srvfdw oid,srvtype text,srvversion text,srvacl _aclitem,"
     "srvoptions _text"},
    {"pg_foreign_table", 3118, 'r',
     "ftrelid oid,ftserver oid,ftoptions _text"},
    {"pg_index", 2610, 'r',
     "indexrelid oid,indrelid oid,indnatts int2,indnkeyatts int2,indisunique bool,"
     "indnullsnotdistinct bool,indisprimary bool,indisexclusion bool,indimmediate bool,"
     "indisclustered bool,indisvalid bool,indcheckxmin bool,indisready bool,indislive bool,"
     "indisreplident bool,indkey int2vector,indcollation oidvector,indclass oidvector,"
     "indoption int2vector,indexprs pg_node_tree,indpred pg_node_tree"},
    {"pg_indexes", 13202, 'v',
     "schemaname name,tablename name,indexname name,tablespace name,indexdef text"},
    {"pg_inherits", 2611, 'r',
     "inhrelid oid,inhparent oid,inhseqno int4,inhdetachpending bool"},
    {"pg_init_privs", 3394, 'r',
     "objoid oid,classoid oid,objsubid int4,privtype char,initprivs _aclitem"},
    {"pg_language", 2612, 'r',
     "oid oid,lanname name,lanowner oid,lanispl bool,lanpltrusted bool,lanplcallfoid oid,"
     "laninline oid,lanvalidator oid,lanacl _aclitem"},
    {"pg_largeobject_metadata", 2995, 'r',
     "oid oid,lomowner oid,lomacl _aclitem"},
    {"pg_locks", 13203, 'v',
     "locktype text,database oid,relation oid,page int4,tuple int2,virtualxid text,"
     "transactionid xid,classid oid,objid oid,objsubid int2,virtualtransaction text,pid int4,"
     "mode text,granted bool,fastpath bool,waitstart timestamptz"},
    {"pg_matviews", 13204, 'v',
     "schemaname name,matviewname name,matviewowner name,tablespace name,hasindexes bool,"
     "ispopulated bool,definition text"},
    {"pg_namespace", 2615, 'r',
     "oid oid,nspname name,nspowner oid,nspacl _aclitem"},
};

}  // namespace

const std::span<const catalog_relation> catalog_relations = list;

}  // namespace sluice::sqlite
