using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;

namespace Cake.K3s.Sandbox.ApiServer.Protobuf;

/// <summary>
/// The numbers of the fields in the protobuf encoding, for the kinds that kubectl sends that way. Field numbers never change in a
/// published API version.
/// </summary>
internal static class ProtobufFields
{
    /// <summary>The model of a kind, by <c>apiVersion/kind</c>; a star stands for any version.</summary>
    public static FrozenDictionary<string, string> Kinds { get; } = new Dictionary<string, string>
    {
        ["v1/Namespace"] = "V1Namespace",
        ["v1/ConfigMap"] = "V1ConfigMap",
        ["v1/Secret"] = "V1Secret",
        ["v1/ServiceAccount"] = "V1ServiceAccount",
        ["v1/Service"] = "V1Service",
        ["v1/Pod"] = "V1Pod",
        ["v1/ResourceQuota"] = "V1ResourceQuota",
        ["v1/Event"] = "Corev1Event",
        ["v1/Binding"] = "V1Binding",
        ["apps/v1/Deployment"] = "V1Deployment",
        ["batch/v1/Job"] = "V1Job",
        ["batch/v1/CronJob"] = "V1CronJob",
        ["policy/v1/PodDisruptionBudget"] = "V1PodDisruptionBudget",
        ["policy/v1/Eviction"] = "V1Eviction",
        ["networking.k8s.io/v1/Ingress"] = "V1Ingress",
        ["rbac.authorization.k8s.io/v1/Role"] = "V1Role",
        ["rbac.authorization.k8s.io/v1/ClusterRole"] = "V1ClusterRole",
        ["rbac.authorization.k8s.io/v1/RoleBinding"] = "V1RoleBinding",
        ["rbac.authorization.k8s.io/v1/ClusterRoleBinding"] = "V1ClusterRoleBinding",
        ["scheduling.k8s.io/v1/PriorityClass"] = "V1PriorityClass",
        ["autoscaling/v1/HorizontalPodAutoscaler"] = "V1HorizontalPodAutoscaler",
        ["autoscaling/v2/HorizontalPodAutoscaler"] = "V2HorizontalPodAutoscaler",
        ["autoscaling/v1/Scale"] = "V1Scale",
        ["coordination.k8s.io/v1/Lease"] = "V1Lease",
        ["authentication.k8s.io/v1/TokenRequest"] = "Authenticationv1TokenRequest",
        ["authentication.k8s.io/v1/SelfSubjectReview"] = "V1SelfSubjectReview",
        ["authorization.k8s.io/v1/SelfSubjectAccessReview"] = "V1SelfSubjectAccessReview",
        ["authorization.k8s.io/v1/SelfSubjectRulesReview"] = "V1SelfSubjectRulesReview",
        ["*/DeleteOptions"] = "V1DeleteOptions",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, FrozenDictionary<int, string>> Parsed = new(StringComparer.Ordinal);

    private static readonly Lazy<FrozenDictionary<string, string>> Lines = new(() => Table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => line.Split(':', 2))
        .ToFrozenDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal));

    /// <summary>Fields that Go holds by value: their zero is written, and means that there is none.</summary>
    private static readonly FrozenSet<string> ByValue = new[]
    {
        "metadata", "spec", "status", "strategy", "updateStrategy", "resources", "template", "jobTemplate", "loadBalancer", "target", "source", "backend",
        "targetPort", "minReadySeconds", "hostPort", "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        "nodePort", "healthCheckNodePort", "paused", "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly",
        "publishNotReadyAddresses", "generation", "globalDefault", "count", "number", "port", "disruptionsAllowed", "currentHealthy",
        "desiredHealthy", "expectedPods", "incomplete", "allowed", "denied", "deletionGracePeriodSeconds",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The names of a model's fields by their numbers; empty when the model is not in the table.</summary>
    public static FrozenDictionary<int, string> Of(string model) => Parsed.GetOrAdd(model, static name => Lines.Value.TryGetValue(name, out var line)
        ? line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('='))
            .ToFrozenDictionary(item => int.Parse(item[1], CultureInfo.InvariantCulture), item => item[0])
        : FrozenDictionary<int, string>.Empty);

    public static bool IsByValue(string field) => ByValue.Contains(field);

    /// <summary>A name with an at sign is a message whose fields are the outer object's own, as Go embeds them.</summary>
    private const string Table = """
        V1ObjectMeta: name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7 creationTimestamp=8 deletionTimestamp=9 deletionGracePeriodSeconds=10 labels=11 annotations=12 ownerReferences=13 finalizers=14 managedFields=17
        V1OwnerReference: kind=1 name=3 uid=4 apiVersion=5 controller=6 blockOwnerDeletion=7
        V1ManagedFieldsEntry: manager=1 operation=2 apiVersion=3 time=4 fieldsType=6 fieldsV1=7 subresource=8
        V1DeleteOptions: gracePeriodSeconds=1 preconditions=2 orphanDependents=3 propagationPolicy=4 dryRun=5 ignoreStoreReadErrorWithClusterBreakingPotential=6
        V1Preconditions: uid=1 resourceVersion=2
        V1LabelSelector: matchLabels=1 matchExpressions=2
        V1LabelSelectorRequirement: key=1 operator=2 values=3
        V1Namespace: metadata=1 spec=2 status=3
        V1NamespaceSpec: finalizers=1
        V1NamespaceStatus: phase=1 conditions=2
        V1ConfigMap: metadata=1 data=2 binaryData=3 immutable=4
        V1Secret: metadata=1 data=2 type=3 stringData=4 immutable=5
        V1ServiceAccount: metadata=1 secrets=2 imagePullSecrets=3 automountServiceAccountToken=4
        V1ObjectReference: kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7
        V1LocalObjectReference: name=1
        V1Binding: metadata=1 target=2
        V1Service: metadata=1 spec=2 status=3
        V1ServiceSpec: ports=1 selector=2 clusterIP=3 type=4 externalIPs=5 sessionAffinity=7 loadBalancerIP=8 loadBalancerSourceRanges=9 externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12 publishNotReadyAddresses=13 sessionAffinityConfig=14 ipFamilyPolicy=17 clusterIPs=18 ipFamilies=19 allocateLoadBalancerNodePorts=20 loadBalancerClass=21 internalTrafficPolicy=22 trafficDistribution=23
        V1ServicePort: name=1 protocol=2 port=3 targetPort=4 nodePort=5 appProtocol=6
        V1SessionAffinityConfig: clientIP=1
        V1ClientIPConfig: timeoutSeconds=1
        V1ServiceStatus: loadBalancer=1 conditions=2
        V1LoadBalancerStatus: ingress=1
        V1ResourceQuota: metadata=1 spec=2 status=3
        V1ResourceQuotaSpec: hard=1 scopes=2 scopeSelector=3
        V1ResourceQuotaStatus: hard=1 used=2
        V1Deployment: metadata=1 spec=2 status=3
        V1DeploymentSpec: replicas=1 selector=2 template=3 strategy=4 minReadySeconds=5 revisionHistoryLimit=6 paused=7 progressDeadlineSeconds=9
        V1DeploymentStrategy: type=1 rollingUpdate=2
        V1RollingUpdateDeployment: maxUnavailable=1 maxSurge=2
        V1DeploymentStatus: observedGeneration=1 replicas=2 updatedReplicas=3 availableReplicas=4 unavailableReplicas=5 conditions=6 readyReplicas=7 collisionCount=8 terminatingReplicas=9
        V1PodTemplateSpec: metadata=1 spec=2
        V1Pod: metadata=1 spec=2 status=3
        V1PodStatus: phase=1 conditions=2 message=3 reason=4 hostIP=5 podIP=6 startTime=7 containerStatuses=8 qosClass=9 initContainerStatuses=10 nominatedNodeName=11 podIPs=12 ephemeralContainerStatuses=13 resize=14 resourceClaimStatuses=15 hostIPs=16 observedGeneration=17
        V1PodSpec: volumes=1 containers=2 restartPolicy=3 terminationGracePeriodSeconds=4 activeDeadlineSeconds=5 dnsPolicy=6 nodeSelector=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11 hostPID=12 hostIPC=13 securityContext=14 imagePullSecrets=15 hostname=16 subdomain=17 affinity=18 schedulerName=19 initContainers=20 automountServiceAccountToken=21 tolerations=22 hostAliases=23 priorityClassName=24 priority=25 dnsConfig=26 shareProcessNamespace=27 readinessGates=28 runtimeClassName=29 enableServiceLinks=30 preemptionPolicy=31 overhead=32 topologySpreadConstraints=33 ephemeralContainers=34 setHostnameAsFQDN=35 os=36 hostUsers=37 schedulingGates=38 resourceClaims=39 resources=40
        V1Container: name=1 image=2 command=3 args=4 workingDir=5 ports=6 env=7 resources=8 volumeMounts=9 livenessProbe=10 readinessProbe=11 lifecycle=12 terminationMessagePath=13 imagePullPolicy=14 securityContext=15 stdin=16 stdinOnce=17 tty=18 envFrom=19 terminationMessagePolicy=20 volumeDevices=21 startupProbe=22 resizePolicy=23 restartPolicy=24
        V1ContainerPort: name=1 hostPort=2 containerPort=3 protocol=4 hostIP=5
        V1EnvVar: name=1 value=2 valueFrom=3
        V1EnvVarSource: fieldRef=1 resourceFieldRef=2 configMapKeyRef=3 secretKeyRef=4
        V1ObjectFieldSelector: apiVersion=1 fieldPath=2
        V1ResourceFieldSelector: containerName=1 resource=2 divisor=3
        V1ConfigMapKeySelector: @Reference=1 key=2 optional=3
        V1SecretKeySelector: @Reference=1 key=2 optional=3
        V1EnvFromSource: prefix=1 configMapRef=2 secretRef=3
        V1ConfigMapEnvSource: @Reference=1 optional=2
        V1SecretEnvSource: @Reference=1 optional=2
        V1ResourceRequirements: limits=1 requests=2 claims=3
        V1VolumeMount: name=1 readOnly=2 mountPath=3 subPath=4 mountPropagation=5 subPathExpr=6 recursiveReadOnly=7
        V1Probe: @ProbeHandler=1 initialDelaySeconds=2 timeoutSeconds=3 periodSeconds=4 successThreshold=5 failureThreshold=6 terminationGracePeriodSeconds=7
        V1LifecycleHandler: exec=1 httpGet=2 tcpSocket=3 sleep=4
        V1Lifecycle: postStart=1 preStop=2 stopSignal=3
        V1SleepAction: seconds=1
        V1ExecAction: command=1
        V1HTTPGetAction: path=1 port=2 host=3 scheme=4 httpHeaders=5
        V1HTTPHeader: name=1 value=2
        V1TCPSocketAction: port=1 host=2
        V1GRPCAction: port=1 service=2
        V1SecurityContext: capabilities=1 privileged=2 seLinuxOptions=3 runAsUser=4 runAsNonRoot=5 readOnlyRootFilesystem=6 allowPrivilegeEscalation=7 runAsGroup=8 procMount=9 windowsOptions=10 seccompProfile=11 appArmorProfile=12
        V1Capabilities: add=1 drop=2
        V1SeccompProfile: type=1 localhostProfile=2
        V1PodSecurityContext: seLinuxOptions=1 runAsUser=2 runAsNonRoot=3 supplementalGroups=4 fsGroup=5 runAsGroup=6 sysctls=7 windowsOptions=8 fsGroupChangePolicy=9 seccompProfile=10 appArmorProfile=11 supplementalGroupsPolicy=12
        V1Toleration: key=1 operator=2 value=3 effect=4 tolerationSeconds=5
        V1HostAlias: ip=1 hostnames=2
        Reference: name=1
        ProbeHandler: exec=1 httpGet=2 tcpSocket=3 grpc=4
        IngressRuleValue: http=1
        VolumeSource: hostPath=1 emptyDir=2 gcePersistentDisk=3 awsElasticBlockStore=4 gitRepo=5 secret=6 nfs=7 iscsi=8 glusterfs=9 persistentVolumeClaim=10 rbd=11 flexVolume=12 cinder=13 cephfs=14 flocker=15 downwardAPI=16 fc=17 azureFile=18 configMap=19 projected=26 csi=28 ephemeral=29 image=30
        V1Volume: name=1 @VolumeSource=2
        V1EmptyDirVolumeSource: medium=1 sizeLimit=2
        V1HostPathVolumeSource: path=1 type=2
        V1SecretVolumeSource: secretName=1 items=2 defaultMode=3 optional=4
        V1ConfigMapVolumeSource: @Reference=1 items=2 defaultMode=3 optional=4
        V1KeyToPath: key=1 path=2 mode=3
        V1PersistentVolumeClaimVolumeSource: claimName=1 readOnly=2
        V1Job: metadata=1 spec=2 status=3
        V1JobSpec: parallelism=1 completions=2 activeDeadlineSeconds=3 selector=4 manualSelector=5 template=6 backoffLimit=7 ttlSecondsAfterFinished=8 completionMode=9 suspend=10 podFailurePolicy=11 backoffLimitPerIndex=12 maxFailedIndexes=13 podReplacementPolicy=14 managedBy=15 successPolicy=16
        V1JobStatus: conditions=1 startTime=2 completionTime=3 active=4 succeeded=5 failed=6 completedIndexes=7 uncountedTerminatedPods=8 ready=9 failedIndexes=10 terminating=11
        V1CronJob: metadata=1 spec=2 status=3
        V1CronJobSpec: schedule=1 startingDeadlineSeconds=2 concurrencyPolicy=3 suspend=4 jobTemplate=5 successfulJobsHistoryLimit=6 failedJobsHistoryLimit=7 timeZone=8
        V1CronJobStatus: active=1 lastScheduleTime=4 lastSuccessfulTime=5
        V1JobTemplateSpec: metadata=1 spec=2
        V1PodDisruptionBudget: metadata=1 spec=2 status=3
        V1PodDisruptionBudgetSpec: minAvailable=1 selector=2 maxUnavailable=3 unhealthyPodEvictionPolicy=4
        V1PodDisruptionBudgetStatus: observedGeneration=1 disruptedPods=2 disruptionsAllowed=3 currentHealthy=4 desiredHealthy=5 expectedPods=6 conditions=7
        V1Eviction: metadata=1 deleteOptions=2
        V1Ingress: metadata=1 spec=2 status=3
        V1IngressSpec: defaultBackend=1 tls=2 rules=3 ingressClassName=4
        V1IngressTLS: hosts=1 secretName=2
        V1IngressRule: host=1 @IngressRuleValue=2
        V1HTTPIngressRuleValue: paths=1
        V1HTTPIngressPath: path=1 backend=2 pathType=3
        V1IngressBackend: resource=3 service=4
        V1IngressServiceBackend: name=1 port=2
        V1ServiceBackendPort: name=1 number=2
        V1TypedLocalObjectReference: apiGroup=1 kind=2 name=3
        V1IngressStatus: loadBalancer=1
        V1IngressLoadBalancerStatus: ingress=1
        V1Role: metadata=1 rules=2
        V1ClusterRole: metadata=1 rules=2 aggregationRule=3
        V1AggregationRule: clusterRoleSelectors=1
        V1PolicyRule: verbs=1 apiGroups=2 resources=3 resourceNames=4 nonResourceURLs=5
        V1RoleBinding: metadata=1 subjects=2 roleRef=3
        V1ClusterRoleBinding: metadata=1 subjects=2 roleRef=3
        Rbacv1Subject: kind=1 apiGroup=2 name=3 namespace=4
        V1RoleRef: apiGroup=1 kind=2 name=3
        V1PriorityClass: metadata=1 value=2 globalDefault=3 description=4 preemptionPolicy=5
        V1HorizontalPodAutoscaler: metadata=1 spec=2 status=3
        V1HorizontalPodAutoscalerSpec: scaleTargetRef=1 minReplicas=2 maxReplicas=3 targetCPUUtilizationPercentage=4
        V1HorizontalPodAutoscalerStatus: observedGeneration=1 lastScaleTime=2 currentReplicas=3 desiredReplicas=4 currentCPUUtilizationPercentage=5
        V1CrossVersionObjectReference: kind=1 name=2 apiVersion=3
        V2HorizontalPodAutoscaler: metadata=1 spec=2 status=3
        V2HorizontalPodAutoscalerSpec: scaleTargetRef=1 minReplicas=2 maxReplicas=3 metrics=4 behavior=5
        V2HorizontalPodAutoscalerStatus: observedGeneration=1 lastScaleTime=2 currentReplicas=3 desiredReplicas=4 currentMetrics=5 conditions=6
        V2CrossVersionObjectReference: kind=1 name=2 apiVersion=3
        V2MetricSpec: type=1 object=2 pods=3 resource=4 external=5 containerResource=7
        V2ResourceMetricSource: name=1 target=2
        V2MetricTarget: type=1 value=2 averageValue=3 averageUtilization=4
        V1Scale: metadata=1 spec=2 status=3
        V1ScaleSpec: replicas=1
        V1ScaleStatus: replicas=1 selector=2
        V1Lease: metadata=1 spec=2
        V1LeaseSpec: holderIdentity=1 leaseDurationSeconds=2 acquireTime=3 renewTime=4 leaseTransitions=5 strategy=6 preferredHolder=7
        Corev1Event: metadata=1 involvedObject=2 reason=3 message=4 source=5 firstTimestamp=6 lastTimestamp=7 count=8 type=9 eventTime=10 series=11 action=12 related=13 reportingComponent=14 reportingInstance=15
        V1EventSource: component=1 host=2
        Authenticationv1TokenRequest: metadata=1 spec=2 status=3
        V1TokenRequestSpec: audiences=1 boundObjectRef=3 expirationSeconds=4
        V1BoundObjectReference: kind=1 apiVersion=2 name=3 uID=4
        V1TokenRequestStatus: token=1 expirationTimestamp=2
        V1SelfSubjectReview: metadata=1 status=2
        V1SelfSubjectReviewStatus: userInfo=1
        V1UserInfo: username=1 uid=2 groups=3 extra=4
        V1SelfSubjectAccessReview: metadata=1 spec=2 status=3
        V1SelfSubjectAccessReviewSpec: resourceAttributes=1 nonResourceAttributes=2
        V1ResourceAttributes: namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7 fieldSelector=8 labelSelector=9
        V1NonResourceAttributes: path=1 verb=2
        V1SubjectAccessReviewStatus: allowed=1 reason=2 evaluationError=3 denied=4
        V1SelfSubjectRulesReview: metadata=1 spec=2 status=3
        V1SelfSubjectRulesReviewSpec: namespace=1
        V1SubjectRulesReviewStatus: resourceRules=1 nonResourceRules=2 incomplete=3 evaluationError=4
        """;
}
